//! A host that is not Azure. It answers nothing and keeps whatever reaches it, to show what is sent there, which should
//! be nothing.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::canary;
use crate::context::Ctx;
use crate::look;
use crate::world::SOON;

/// What each connection begins with in the record, so that one without a byte shows, too.
const CONNECTED: &str = "\n-- a connection\n";

/// The listener, which ends when this is dropped. Plain TCP: a caller that tries TLS is noticed by its first bytes.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    record: PathBuf,
    port: u16,
    listens: JoinHandle<()>,
}

impl Elsewhere {
    /// Listens, and shows that what reaches it is kept.
    pub(crate) async fn start(ctx: &Ctx) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listen as another host")?;
        let port = listener.local_addr().context("ask for the other host's port")?.port();
        let record = ctx.dir().join(canary::ELSEWHERE);
        let file = Arc::new(File::create(&record).context("create the record of the other host")?);
        let listens = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(keep(stream, Arc::clone(&file)));
            }
        });
        let elsewhere = Self { record, port, listens };
        elsewhere.knock("first").await?;
        Ok(elsewhere)
    }

    /// Its address.
    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}/elsewhere", self.port)
    }

    /// Fails if anybody but the test itself was there.
    pub(crate) async fn saw_nobody(&self) -> Result<()> {
        // That it still listens is what makes its silence worth anything.
        self.knock("last").await?;
        let seen = self.seen()?;
        let expected = format!("{CONNECTED}first{CONNECTED}last");
        ensure!(seen == expected, "another host was called: {seen}");
        Ok(())
    }

    async fn knock(&self, word: &str) -> Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.context("knock")?;
        stream.write_all(word.as_bytes()).await.context("knock")?;
        stream.shutdown().await.context("knock")?;
        let look = || async {
            let seen = self.seen()?;
            Ok(if seen.ends_with(word) { Look::Done(()) } else { Look::NotYet(seen) })
        };
        wait_until(SOON, look::POLL, look, "the other host to keep what reached it").await
    }

    fn seen(&self) -> Result<String> {
        let bytes = std::fs::read(&self.record).context("read the record of the other host")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.listens.abort();
    }
}

async fn keep(mut stream: TcpStream, file: Arc<File>) {
    let _ = (&*file).write_all(CONNECTED.as_bytes());
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        let _ = (&*file).write_all(&bytes[..read]);
    }
}
