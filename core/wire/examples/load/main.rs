//! Load for measuring a server of SQS: a raw HTTP client, the null echo server that figures are
//! compared with, and our server without an interpreter (for profiles).
//!
//! ```text
//! load echo PORT BYTES                  answers every request with so many bytes
//! load serve PORT [DIR]                 our server, in memory or in a folder
//! load send|batch ADDRESS CONNECTIONS SECONDS
//! load fill ADDRESS MESSAGES            sends so many, in batches
//! load drain ADDRESS CONNECTIONS SECONDS [MESSAGES]    receives tens and deletes them
//! load polls ADDRESS CONNECTIONS SECONDS               long polls that find nothing
//! load read ADDRESS CONNECTIONS SECONDS FILE FOUND EACH           the same page, again and again
//! load post ADDRESS CONNECTIONS SECONDS FILE ACCEPTED [MESSAGES]    the request in a file
//! ```
//!
//! Every measurement prints one line of JSON. `benches/wire/run.py` puts the rows together.

mod client;
mod echo;
mod post;
mod serve;
mod work;

use std::error::Error;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Connections that fill a queue.
const FILL_CONNECTIONS: usize = 8;
/// Longest that filling a queue may take.
const FILL_TIME_MAX: Duration = Duration::from_secs(120);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["serve", port, ref folder @ ..] = words[..] {
        return serve::serve(port.parse()?, folder.first().copied());
    }
    let runtime = tokio::runtime::Runtime::new()?;
    match words[..] {
        ["echo", port, bytes] => runtime.block_on(echo::serve(port.parse()?, bytes.parse()?)),
        ["fill", address, count] => {
            let plan = work::Plan {
                mode: work::Mode::Batch,
                connections: FILL_CONNECTIONS,
                duration: FILL_TIME_MAX,
                messages: Some(count.parse()?),
            };
            runtime.block_on(work::measure(address, plan))
        }
        ["post", address, connections, seconds, file, accepted, ref messages @ ..] => {
            let post = post::Post {
                request: std::fs::read(file)?,
                accepted: accepted.to_owned(),
                connections: connections.parse()?,
                duration: Duration::from_secs_f64(seconds.parse()?),
                messages: messages.first().map(|count| count.parse()).transpose()?,
                each: None,
            };
            runtime.block_on(post::measure(address, post))
        }
        ["read", address, connections, seconds, file, found, each] => {
            let post = post::Post {
                request: std::fs::read(file)?,
                accepted: found.to_owned(),
                connections: connections.parse()?,
                duration: Duration::from_secs_f64(seconds.parse()?),
                messages: None,
                each: Some(each.parse()?),
            };
            runtime.block_on(post::measure(address, post))
        }
        [mode, address, connections, seconds, ref messages @ ..] => {
            let plan = work::Plan {
                mode: work::Mode::named(mode)?,
                connections: connections.parse()?,
                duration: Duration::from_secs_f64(seconds.parse()?),
                messages: messages.first().map(|count| count.parse()).transpose()?,
            };
            runtime.block_on(work::measure(address, plan))
        }
        _ => Err("the arguments are explained at the top of core/wire/examples/load".into()),
    }
}
