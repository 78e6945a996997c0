//! Serving on a listener, and delivering webhooks, until told to stop.

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::deliver::deliver;
use crate::emulator::Emulator;
use crate::http::router;
use crate::wire::{CuttableListener, Wire};

/// How long calls under way may take once the stop has come.
const GRACE: Duration = Duration::from_secs(3);

/// Answers until `stop` is ready, then finishes what is under way, for at most three seconds.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    emulator: Emulator,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stopping, mut stopped) = tokio::sync::watch::channel(false);
    let webhooks = deliver(emulator.clone());
    let app = router(emulator).into_make_service_with_connect_info::<Wire>();
    let graceful =
        axum::serve(CuttableListener(listener), app).with_graceful_shutdown(async move {
            stop.await;
            let _ = stopping.send(true);
        });
    let grace_over = async {
        // An error means that the serving itself is over.
        let _ = stopped.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = graceful => served,
        () = grace_over => Ok(()),
        () = webhooks => Ok(()),
    }
}
