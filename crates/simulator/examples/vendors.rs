//! The simulated model vendors on a free loopback port, for programs that are not ours: prints its address and stays until
//! its standard input closes. `scripts/peers` uses it.

use indaba_simulator::llm::{Models, router};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let closed = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    tokio::select! {
        served = axum::serve(listener, router(Models::new())) => served?,
        _ = closed => {}
    }
    Ok(())
}
