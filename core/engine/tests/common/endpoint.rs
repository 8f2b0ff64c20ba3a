//! An HTTP endpoint on loopback that answers as a test says, and remembers what it got.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the endpoint answers; `None` leaves the caller waiting.
type Answer = dyn Fn(&str, usize) -> Option<String> + Send + Sync;

pub struct Endpoint {
    pub url: String,
    pub bodies: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    /// `answer` gets the body and the number of the request, from one.
    pub fn start(answer: impl Fn(&str, usize) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}/hook", listener.local_addr().unwrap().port());
        let (bodies, answer): (Arc<Mutex<Vec<String>>>, Arc<Answer>) =
            (Arc::default(), Arc::new(answer));
        let endpoint = Self { url, bodies: bodies.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (bodies, answer) = (bodies.clone(), answer.clone());
                std::thread::spawn(move || serve(stream, &bodies, &*answer));
            }
        });
        endpoint
    }

    /// An endpoint that answers every request with a status.
    pub fn answering(status: u16) -> Self {
        Self::start(move |_, _| Some(status_line(status)))
    }

    pub fn seen(&self) -> Vec<String> {
        let mut seen = self.bodies.lock().unwrap().clone();
        seen.sort();
        seen
    }
}

pub fn status_line(status: u16) -> String {
    format!("HTTP/1.1 {status} Word\r\nContent-Length: 0\r\n\r\n")
}

fn serve(stream: TcpStream, bodies: &Mutex<Vec<String>>, answer: &Answer) {
    let mut reader = BufReader::new(stream);
    while let Some(body) = read_request(&mut reader) {
        let number = {
            let mut bodies = bodies.lock().unwrap();
            bodies.push(body.clone());
            bodies.len()
        };
        match answer(&body, number) {
            Some(answer) if reader.get_mut().write_all(answer.as_bytes()).is_ok() => {}
            Some(_) => return,
            None => drop(reader.read(&mut [0; 16])),
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}
