//! The body of an answer, whole or cut off on purpose.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// A body that announces its length and may end before reaching it.
pub(super) struct Outgoing {
    announced: u64,
    chunk: Option<Bytes>,
    ending: Ending,
}

enum Ending {
    Whole,
    /// One idle turn lets the server flush the bytes before the body breaks.
    Flush,
    Break,
}

impl Outgoing {
    pub(super) fn whole(body: Bytes) -> Self {
        Self {
            announced: length(&body),
            chunk: Some(body),
            ending: Ending::Whole,
        }
    }

    pub(super) fn cut(body: &Bytes, after: usize) -> Self {
        let kept = body.slice(..after.min(body.len()));
        Self {
            announced: length(body),
            chunk: Some(kept),
            ending: Ending::Flush,
        }
    }
}

fn length(body: &Bytes) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX)
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(chunk) = self.chunk.take().filter(|chunk| !chunk.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        match self.ending {
            Ending::Whole => Poll::Ready(None),
            Ending::Flush => {
                self.ending = Ending::Break;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::Break => {
                let error = io::Error::new(io::ErrorKind::ConnectionReset, "cut off by script");
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.ending, Ending::Whole) && self.chunk.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
