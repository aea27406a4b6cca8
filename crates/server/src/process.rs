//! Signals: when to stop.

use anyhow::Result;
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by Ctrl-C, and on Unix by SIGTERM.
pub fn stop_signal() -> Result<CancellationToken> {
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        #[cfg(unix)]
        let asked = async {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        };
        #[cfg(not(unix))]
        let asked = async { drop(tokio::signal::ctrl_c().await) };
        asked.await;
        signalled.cancel();
    });
    Ok(stop)
}
