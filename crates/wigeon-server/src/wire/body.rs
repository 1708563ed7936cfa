//! A body: the end of a wire in a response that the HTTP library sends, where it asks for what to send next.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::Notify;

use super::{End, Wire};

impl Wire {
    /// A wire that ends in a response's body.
    pub(crate) fn body() -> (Arc<Self>, Body) {
        let wire = Arc::new(Self { end: End::Body, out: Mutex::default(), changed: Notify::new() });
        (wire.clone(), Body(wire))
    }

    /// Ends a body once what waits has been taken; a socket is closed by its owner.
    pub(crate) fn end(&self) {
        let mut out = self.lock();
        out.closed = true;
        if let Some(waker) = out.body.take() {
            waker.wake();
        }
    }
}

/// The body at the end of a wire.
#[derive(Debug)]
pub(crate) struct Body(Arc<Wire>);

impl Stream for Body {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut out = self.0.lock();
        if !out.rest.is_empty() && (out.full || out.closed) {
            let bytes = std::mem::take(&mut out.rest);
            out.full = false;
            drop(out);
            self.0.changed.notify_one();
            return Poll::Ready(Some(Ok(bytes.into())));
        }
        if out.closed {
            return Poll::Ready(None);
        }
        out.body = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.0.fail(self.0.lock());
    }
}
