//! Runs event-ruler in a JVM process that measures one pass for each request.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Time limit for building a rule set.
const PATIENCE: Duration = Duration::from_secs(40);

pub struct Java {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub built: f64,
}

impl Java {
    /// Starts the peer with files of events and rules; none if building exceeds the limit.
    pub fn start(classes: &str, lines: &Path, rules: &Path) -> Option<Self> {
        let mut child = Command::new("java")
            .args(["-Xmx6g", "-cp", classes, "Peer"])
            .args([lines, rules])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let input = child.stdin.take()?;
        let mut output = BufReader::new(child.stdout.take()?);
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = output.read_line(&mut line);
            let _ = sender.send((line, output));
        });
        match receiver.recv_timeout(PATIENCE) {
            Ok((line, output)) => {
                let built = line.trim().parse().ok()?;
                Some(Self { child, input, output, built })
            }
            Err(_) => {
                let _ = child.kill();
                None
            }
        }
    }

    /// Runs one pass; returns microseconds per event and the number of matches.
    pub fn turn(&mut self) -> (f64, usize) {
        let mut line = String::new();
        let asked = writeln!(self.input, "go").and_then(|()| self.input.flush());
        asked.and_then(|()| self.output.read_line(&mut line)).expect("the peer answers");
        let (time, matched) = line.trim().split_once(' ').expect("two figures");
        (time.parse().expect("a time"), matched.parse().expect("a count"))
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
