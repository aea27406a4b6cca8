//! A database of a world's own, and a look into it past the bridge.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, types::ValueRef};

use super::Backend;

/// A fresh database; a PostgreSQL one is dropped with it.
#[derive(Debug)]
pub struct Database {
    /// What `DATABASE_URL` gets.
    pub url: String,
}

impl Database {
    pub async fn fresh(backend: Backend, folder: &Path) -> Self {
        match backend {
            Backend::Sqlite => {
                let url = format!("sqlite:///{}", folder.join("mzi.db").display());
                std::future::ready(Self { url }).await
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres => postgres::fresh().await,
        }
    }

    /// Rows as text, nulls as empty text. The SQL must suit both back ends.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match self.url.strip_prefix("sqlite:///") {
            Some(path) => {
                let (path, sql) = (path.to_owned(), sql.to_owned());
                // It may wait for a writer, and the simulators must go on answering.
                tokio::task::spawn_blocking(move || of_file(&path, &sql))
                    .await
                    .unwrap()
            }
            #[cfg(feature = "postgres")]
            None => postgres::rows(&self.url, sql).await,
            #[cfg(not(feature = "postgres"))]
            None => panic!("{} needs the feature postgres", self.url),
        }
    }

    /// Ends every connection to it, as a restart of the server does.
    #[cfg(feature = "postgres")]
    pub async fn cut_off_everybody(&self) {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.rows(sql).await;
    }

    /// The one number a query answers.
    pub async fn count(&self, sql: &str) -> i64 {
        self.rows(sql).await[0][0].parse().unwrap()
    }
}

fn of_file(path: &str, sql: &str) -> Vec<Vec<String>> {
    let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    file.busy_timeout(std::time::Duration::from_secs(10))
        .unwrap();
    let mut statement = file.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns)
            .map(|column| row.get_ref(column).map(text))
            .collect()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

    use super::Database;

    /// A server on which the tests may create databases.
    fn server() -> String {
        std::env::var("MZI_TEST_POSTGRES_URL").expect(
            "MZI_TEST_POSTGRES_URL must name a PostgreSQL server on which databases may be made \
             (`cargo xtask test` starts one), or MZI_TEST_ONLY=sqlite must leave PostgreSQL out",
        )
    }

    pub(super) async fn fresh() -> Database {
        let server = server();
        let name = format!("mzi_it_{}", uuid::Uuid::new_v4().simple());
        connect(&server)
            .await
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Database { url: url.into() }
    }

    pub(super) async fn rows(url: &str, sql: &str) -> Vec<Vec<String>> {
        let answers = connect(url).await.simple_query(sql).await.unwrap();
        let row = |answer| match answer {
            SimpleQueryMessage::Row(row) => {
                let cell = |column| row.get(column).unwrap_or_default().to_owned();
                Some((0..row.len()).map(cell).collect())
            }
            _ => None,
        };
        answers.into_iter().filter_map(row).collect()
    }

    async fn connect(url: &str) -> Client {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    impl Drop for Database {
        fn drop(&mut self) {
            let Some((_, name)) = self.url.rsplit_once("/mzi_it_") else {
                return;
            };
            let drop_it = format!("DROP DATABASE mzi_it_{name} WITH (FORCE)");
            // A runtime of its own: the test's may be ending. What cannot be dropped is left to
            // whoever runs the server, which is most often a temporary one.
            let dropping = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                let ended = runtime.map(|runtime| {
                    runtime.block_on(async {
                        let (client, connection) =
                            tokio_postgres::connect(&server(), NoTls).await.ok()?;
                        tokio::spawn(connection);
                        client.batch_execute(&drop_it).await.ok()
                    })
                });
                drop(ended);
            });
            drop(dropping.join());
        }
    }
}
