//! Both simulators in one process, for a shell or another language's tests.
//!
//! `serve [ZOHO_PORT] [MOODLE_PORT] [STUDENTS] [SECONDS]`; port 0 chooses a free one. One line of
//! JSON names where they listen; they live until standard input ends or the seconds are over.

use std::{error::Error, io::Write, net::SocketAddr, time::Duration};

use mzi_simulators::{
    moodle::{MoodleOptions, MoodleSimulator},
    zoho::{ZohoOptions, ZohoSimulator},
};
use serde_json::json;
use tokio::{sync::oneshot, time::timeout};

/// The longest life, for when standard input never ends.
const LONGEST: u64 = 24 * 3600;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let zoho_addr = loopback(arguments.next())?;
    let moodle_addr = loopback(arguments.next())?;
    let students = arguments.next().map_or(Ok(50), |text| text.parse())?;
    let seconds = arguments.next().map_or(Ok(LONGEST), |text| text.parse())?;

    let zoho = ZohoSimulator::start(ZohoOptions {
        addr: zoho_addr,
        students,
        ..ZohoOptions::default()
    })
    .await?;
    let moodle = MoodleSimulator::start(MoodleOptions {
        addr: moodle_addr,
        ..MoodleOptions::default()
    })
    .await?;
    let ready = json!({"zoho": zoho.base_url(), "moodle": moodle.base_url()});
    writeln!(std::io::stdout().lock(), "{ready}")?;

    // Ends by itself when the seconds are over first.
    let _over = timeout(Duration::from_secs(seconds.min(LONGEST)), input_ends()).await;
    zoho.stop().await;
    moodle.stop().await;
    Ok(())
}

/// Waits for the end of standard input, in a thread that the process does not wait for.
async fn input_ends() {
    let (ended, end) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _read = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(ended);
    });
    let _dropped = end.await;
}

fn loopback(port: Option<String>) -> Result<SocketAddr, std::num::ParseIntError> {
    let port = port.map_or(Ok(0), |text| text.parse::<u16>())?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}
