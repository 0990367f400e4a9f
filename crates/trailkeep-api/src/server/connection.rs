//! Serves one connection.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tower::ServiceExt;

use super::exchange::{AnswerBody, Exchanges};
use super::guarded_stream::GuardedStream;
use super::{PeerIp, ServerOptions, Shutdown};

/// What hyper buffers of one connection, in each direction; a head that does not end is cut here.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// How much is read and thrown away while a connection lingers.
const LINGER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What every connection is served with.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) routes: Router,
    pub(super) options: ServerOptions,
    pub(super) shutdown: Shutdown,
}

impl Serving {
    /// Answers requests until the client or a limit ends the connection.
    pub(super) async fn serve<S>(&self, stream: S, peer: PeerIp)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let exchanges = Arc::new(Exchanges::default());
        let stream = GuardedStream::new(stream, Arc::clone(&exchanges), &self.options);
        let service = Requests { routes: self.routes.clone(), peer, exchanges };
        let mut connection = self.http().serve_connection(TokioIo::new(stream), service);
        let mut finishing = false;
        let ended = loop {
            tokio::select! {
                ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break ended,
                () = self.shutdown.requested(), if !finishing => {
                    finishing = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, error = %error, "connection ended early");
        }
        let stream = connection.into_parts().io.into_inner();
        linger(stream, &self.options).await;
    }

    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.options.idle_timeout.max(self.options.header_timeout))
            .max_buf_size(BUFFER_BYTES_MAX)
            .max_header_size(self.options.header_bytes_max)
            .max_headers(self.options.headers_max);
        http
    }
}

/// Ends a connection so that the client can read what it was answered: closing while bytes are
/// still arriving would reset it, and the answer with it.
async fn linger<S>(stream: GuardedStream<S>, options: &ServerOptions)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = stream.into_inner();
    let hang_up = async {
        stream.shutdown().await?;
        let mut discarded = [0; 1024];
        let mut bytes = 0_usize;
        while bytes < LINGER_BYTES_MAX {
            match stream.read(&mut discarded).await? {
                0 => break,
                read => bytes = bytes.saturating_add(read),
            }
        }
        Ok::<_, std::io::Error>(())
    };
    // Whatever happens here happens to a connection that is over.
    drop(tokio::time::timeout(options.linger_timeout, hang_up).await);
}

/// Hands requests of one connection to the routes.
#[derive(Debug)]
struct Requests {
    routes: Router,
    peer: PeerIp,
    exchanges: Arc<Exchanges>,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let exchange = self.exchanges.begin();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.peer);
        let answer = self.routes.clone().oneshot(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(answer.map(|body| AnswerBody::new(body, exchange)))
        })
    }
}
