//! A temporary folder that goes when its owner goes.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Removed with everything in it on drop.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// `purpose` is part of the folder's name, so that a folder left by a killed run says whose it was.
    pub fn new(purpose: &str) -> Result<Self> {
        let name = format!("mzi-{purpose}-{}-{}", std::process::id(), random_word());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path)
            .with_context(|| format!("creating the temporary folder {}", path.display()))?;
        Ok(Self { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into the folder and says where it is.
    pub fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing can be done about a folder that will not go; the system clears its temporary folder itself.
        let _left = fs::remove_dir_all(&self.path);
    }
}

/// Unforeseeable without a dependency: the standard library seeds each hasher from the system's random source.
pub fn random_word() -> String {
    let first = RandomState::new().hash_one("mzi");
    let second = RandomState::new().hash_one("xtask");
    format!("{first:016x}{second:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_with_its_owner() {
        let scratch = Scratch::new("unit").unwrap();
        let file = scratch.write("note", "text").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "text");
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn two_words_differ() {
        assert_ne!(random_word(), random_word());
    }
}
