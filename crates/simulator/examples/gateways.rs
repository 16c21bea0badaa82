//! The simulated gateways on a free loopback port, for programs that are not ours: prints its address and stays until its
//! standard input closes. What waits, waits a hundredth. `scripts/peers` uses it.

use indaba_simulator::{Config, Simulator};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut running = Simulator::start(Config::fast()).await?;
    println!("{}", running.url());
    let closed = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    tokio::select! {
        () = running.ended() => anyhow::bail!("the simulator stopped by itself"),
        _ = closed => {}
    }
    running.stop().await;
    Ok(())
}
