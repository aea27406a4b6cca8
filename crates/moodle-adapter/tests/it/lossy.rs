//! A proxy before a real site that passes calls on and can lose the answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use mzi_simulators::serve::{Answer, Reply, Request, Server};

use crate::world;

pub struct LossyProxy {
    server: Server,
    to_lose: Arc<AtomicUsize>,
}

impl LossyProxy {
    pub async fn start(site: &str) -> Self {
        let to_lose = Arc::new(AtomicUsize::new(0));
        let (http, losing) = (world::http(), Arc::clone(&to_lose));
        let site = site.trim_end_matches('/').to_owned();
        let pass_on = move |request: Request| {
            let (http, site, losing) = (http.clone(), site.clone(), Arc::clone(&losing));
            async move { pass_on(&http, &site, &losing, request).await }
        };
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::start(addr, pass_on).await.unwrap();
        Self { server, to_lose }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.server.local_addr())
    }

    /// The next creation reaches the site, its answer reaches nobody.
    pub fn lose_next_creation(&self) {
        self.to_lose.fetch_add(1, Ordering::Relaxed);
    }
}

/// A test that meant to lose an answer must have lost it.
impl Drop for LossyProxy {
    fn drop(&mut self) {
        let delivered = self.to_lose.load(Ordering::Relaxed);
        if !std::thread::panicking() {
            assert_eq!(delivered, 0, "answers meant to be lost were delivered");
        }
    }
}

async fn pass_on(
    http: &reqwest::Client,
    site: &str,
    losing: &AtomicUsize,
    request: Request,
) -> Reply {
    let creates = request
        .form_pairs()
        .iter()
        .any(|(key, value)| key == "wsfunction" && value.contains("_create_"));
    let content_type = request.header("content-type").unwrap_or_default();
    let answer = http
        .post(format!("{site}{}", request.path))
        .header("content-type", content_type)
        .body(request.body.clone())
        .send()
        .await
        .unwrap();
    let (status, body) = (answer.status().as_u16(), answer.bytes().await.unwrap());
    let lost = creates
        && losing
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .is_ok();
    if lost {
        return Reply::Drop;
    }
    Answer::typed(status, "application/json", body).into()
}
