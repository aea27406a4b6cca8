//! The handle of a running simulator: its calls, faults, state and tokens.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    access::{Capability, Token},
    content,
    options::MoodleOptions,
    server::{self, Shared},
    site::{Site, SiteMode},
};
use crate::{
    clock::Clock,
    faults::{CallLog, Calls, Fault, Faults},
    locked,
    serve::Server,
};

/// A Moodle site that listens. Clones are handles of the same site.
#[derive(Debug, Clone)]
pub struct MoodleSimulator {
    shared: Arc<Shared>,
    server: Arc<Server>,
    base_url: String,
}

impl MoodleSimulator {
    /// Starts a site.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(options: MoodleOptions) -> io::Result<Self> {
        let clock = Clock::default();
        let site = content::site(&options, clock.now().timestamp());
        let shared = Arc::new(Shared {
            site: Mutex::new(site),
            faults: Faults::default(),
            calls: CallLog::default(),
            clock,
            race_window: Mutex::new(options.race_window),
            token: options.token,
        });
        let served = Arc::clone(&shared);
        let server = Server::start(options.addr, move |request| {
            let shared = Arc::clone(&served);
            async move { server::answer(&shared, &request).await }
        })
        .await?;
        let base_url = format!("http://{}", server.local_addr());
        locked(&shared.site).url.clone_from(&base_url);
        Ok(Self {
            shared,
            server: Arc::new(server),
            base_url,
        })
    }

    /// Where the site listens, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The token of the service user.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.shared.token
    }

    /// The site's clock, which can be moved.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Unix seconds on the site's clock.
    pub(super) fn now(&self) -> i64 {
        self.shared.now()
    }

    /// Stops listening and ends all connections.
    pub async fn stop(&self) {
        self.server.stop().await;
    }

    pub(super) fn site<T>(&self, look: impl FnOnce(&mut Site) -> T) -> T {
        look(&mut locked(&self.shared.site))
    }
}

/// Calls and faults.
impl MoodleSimulator {
    /// The calls received; an operation is the function's name.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.shared.calls.snapshot()
    }

    /// Forgets the calls received.
    pub fn clear_calls(&self) {
        self.shared.calls.clear();
    }

    /// Adds a fault to the script.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Removes every fault.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// Opens or closes the gap in which parallel calls make duplicates.
    pub fn set_race_window(&self, window: Option<Duration>) {
        *locked(&self.shared.race_window) = window;
    }
}

/// The site, its tokens and their rights.
impl MoodleSimulator {
    /// Renames the site's URL, as after a move; it goes on listening where it did.
    pub fn set_site_url(&self, url: &str) {
        self.site(|site| url.trim_end_matches('/').clone_into(&mut site.url));
    }

    /// Renames the site.
    pub fn set_site_name(&self, name: &str) {
        self.site(|site| name.clone_into(&mut site.name));
    }

    /// Opens the site, or closes it in one of Moodle's ways.
    pub fn set_mode(&self, mode: SiteMode) {
        self.site(|site| site.mode = mode);
    }

    /// Adds or replaces a token.
    pub fn put_token(&self, text: &str, token: Token) {
        self.site(|site| drop(site.tokens.insert(text.to_owned(), token)));
    }

    /// Revokes a token for good.
    pub fn revoke_token(&self, text: &str) {
        self.site(|site| drop(site.tokens.remove(text)));
    }

    /// Gives the service user's role a capability, or takes it away.
    pub fn set_capability(&self, capability: Capability, held: bool) {
        self.edit_token(|token| token.set_capability(capability, held));
    }

    /// Adds a function to the service, or takes it out.
    pub fn set_function(&self, name: &str, offered: bool) {
        self.edit_token(|token| token.set_function(name, offered));
    }

    /// Changes the service user's token.
    pub fn edit_token(&self, change: impl FnOnce(&mut Token)) {
        self.site(|site| {
            if let Some(token) = site.tokens.get_mut(&self.shared.token) {
                change(token);
            }
        });
    }
}
