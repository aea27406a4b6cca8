//! A small HTTP/1 server for simulators.
//!
//! Unlike a web framework it can end a connection without an answer, or in the middle of one,
//! because unknown outcomes are what the bridge must survive.

use std::{future::Future, io, net::SocketAddr, sync::Mutex, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use crate::locked;

mod message;
mod outgoing;

pub use message::{Answer, Reply, Request};

use outgoing::Outgoing;

/// The largest request body read; Zoho's own attachments end at 20 MB.
const MAX_BODY: usize = 24 * 1024 * 1024;

/// How long [`Server::stop`] waits for calls in flight before it cuts them off.
const GRACE: Duration = Duration::from_secs(2);

/// A running server; dropping it stops it too, without waiting.
#[derive(Debug)]
pub struct Server {
    local_addr: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Server {
    /// Listens on `addr` (port 0 chooses a free one) and answers with `handler`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start<H, F>(addr: SocketAddr, handler: H) -> io::Result<Self>
    where
        H: Fn(Request) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        Self::on(TcpListener::bind(addr).await?, handler)
    }

    /// Answers on a listener that is already bound, for handlers that must know its address.
    ///
    /// # Errors
    /// When the listener is of no use.
    pub fn on<H, F>(listener: TcpListener, handler: H) -> io::Result<Self>
    where
        H: Fn(Request) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        let local_addr = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, handler, stopped));
        Ok(Self {
            local_addr,
            stop,
            accepting: Mutex::new(Some(accepting)),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Stops accepting, lets calls in flight finish for a moment, then closes every connection.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let accepting = locked(&self.accepting).take();
        if let Some(task) = accepting
            && task.await.is_err()
        {
            tracing::warn!("the simulator's server ended by a panic");
        }
    }
}

async fn accept<H, F>(listener: TcpListener, handler: H, mut stopped: watch::Receiver<bool>)
where
    H: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = told_to_stop(&mut stopped) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, handler.clone(), stopped.clone()));
                }
                Err(error) => tracing::warn!(%error, "a connection was not accepted"),
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    if timeout(GRACE, async {
        while connections.join_next().await.is_some() {}
    })
    .await
    .is_err()
    {
        connections.shutdown().await;
    }
}

/// Ends when the server is told to stop, or is dropped.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _dropped = stopped.wait_for(|stop| *stop).await.is_err();
}

async fn converse<H, F>(stream: TcpStream, handler: H, mut stopped: watch::Receiver<bool>)
where
    H: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "small answers may wait for Nagle's algorithm");
    }
    let service = service_fn(move |request| answer(request, handler.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told_to_stop(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended early");
    }
}

async fn answer<H, F>(
    request: hyper::Request<Incoming>,
    handler: H,
) -> io::Result<hyper::Response<Outgoing>>
where
    H: Fn(Request) -> F,
    F: Future<Output = Reply>,
{
    let reply = match read(request).await {
        Ok(request) => handler(request).await,
        Err(Unread::TooLarge) => Answer::empty(413).into(),
        Err(Unread::Broken) => Reply::Drop,
    };
    match reply {
        Reply::Answer(answer) => response(answer, Outgoing::whole),
        Reply::Truncated(answer, after) => response(answer, |body| Outgoing::cut(&body, after)),
        Reply::Drop => Err(io::Error::new(
            io::ErrorKind::ConnectionReset,
            "dropped by script",
        )),
    }
}

enum Unread {
    TooLarge,
    Broken,
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, Unread> {
    let (head, body) = request.into_parts();
    // What is announced as too large is not waited for.
    if body.size_hint().lower() > u64::try_from(MAX_BODY).unwrap_or(u64::MAX) {
        return Err(Unread::TooLarge);
    }
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Unread::TooLarge),
        Err(_) => return Err(Unread::Broken),
    };
    Ok(Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    })
}

fn response(
    answer: Answer,
    body: impl FnOnce(Bytes) -> Outgoing,
) -> io::Result<hyper::Response<Outgoing>> {
    let mut builder = hyper::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        builder = builder.header(name.as_str(), value.as_str());
    }
    builder.body(body(answer.body)).map_err(io::Error::other)
}
