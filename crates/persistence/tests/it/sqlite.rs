//! The store contract on a SQLite file.

use std::future::{Ready, ready};

use tempfile::TempDir;

use crate::support::{OnUrl, sqlite_in};

fn open() -> Ready<Option<OnUrl<TempDir>>> {
    let folder = tempfile::tempdir().unwrap();
    let (url, _) = sqlite_in(&folder);
    ready(Some(OnUrl::open(url, folder)))
}

mzi_ports::store_contract!(open);
