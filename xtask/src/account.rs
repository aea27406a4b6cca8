//! Whose rights a child process runs with.
//!
//! PostgreSQL refuses to run as root, and container builds run as root, so the temporary server takes an unprivileged account then.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Accounts that exist for work without rights, best first: the server's own, then the one every Unix has.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Either the caller's own rights, or another account's by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    Caller,
    Other { user: u32, group: u32 },
}

impl Account {
    /// The caller, or somebody without rights when the caller is root.
    pub fn unprivileged() -> Result<Self> {
        if !caller_is_root() {
            return Ok(Self::Caller);
        }
        for name in UNPRIVILEGED {
            if let (Some(user), Some(group)) = (number("-u", Some(name)), number("-g", Some(name)))
            {
                return Ok(Self::Other { user, group });
            }
        }
        bail!("running as root and none of the accounts {UNPRIVILEGED:?} exists")
    }

    /// A command that will run with this account's rights and no others.
    #[cfg(unix)]
    pub fn command(self, program: &Path) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(program);
        if let Self::Other { user, group } = self {
            command.uid(user).gid(group).current_dir("/");
        }
        command
    }

    /// Elsewhere the caller is all there is: `pg_ctl` itself drops an administrator's rights on Windows.
    #[cfg(not(unix))]
    pub fn command(self, program: &Path) -> Command {
        Command::new(program)
    }

    /// Makes the account the owner of a file or folder.
    #[cfg(unix)]
    pub fn take(self, path: &Path) -> Result<()> {
        if let Self::Other { user, group } = self {
            std::os::unix::fs::chown(path, Some(user), Some(group))
                .with_context(|| format!("giving {} to user {user}", path.display()))?;
        }
        Ok(())
    }

    #[cfg(not(unix))]
    pub fn take(self, _path: &Path) -> Result<()> {
        Ok(())
    }
}

/// `false` where there is no such thing as root.
pub fn caller_is_root() -> bool {
    number("-u", None) == Some(0)
}

/// `id -u [name]` or `id -g [name]`.
fn number(which: &str, name: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(which).args(name).output().ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_unprivileged_account_is_never_root() {
        let account = Account::unprivileged().unwrap();
        let output = account
            .command(Path::new("/usr/bin/id"))
            .arg("-u")
            .output()
            .unwrap();
        assert!(output.status.success());
        assert_ne!(String::from_utf8_lossy(&output.stdout).trim(), "0");
    }
}
