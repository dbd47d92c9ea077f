//! Calls of the broker's management API.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::environment::variable;

/// The user of the API.
pub(crate) fn user() -> String {
    Management::from_environment().user
}

/// The API's address and credentials.
struct Management {
    host: String,
    user: String,
    password: String,
}

impl Management {
    fn from_environment() -> Self {
        let url = variable("AMQP_MANAGEMENT_URL");
        let authority = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let (credentials, host) = authority.rsplit_once('@').expect("AMQP_MANAGEMENT_URL names a user");
        let (user, password) = credentials.split_once(':').expect("AMQP_MANAGEMENT_URL holds a password");
        Self { host: host.to_owned(), user: user.to_owned(), password: password.to_owned() }
    }
}

/// Sends a request and returns the body. HTTP/1.0 is simple to read: the body ends with the connection.
pub(crate) fn management(method: &str, path: &str, body: &str) -> String {
    let Management { host, user, password } = Management::from_environment();
    let authorization = base64(format!("{user}:{password}").as_bytes());
    let mut stream = TcpStream::connect(&host).expect("AMQP_MANAGEMENT_URL answers");
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Basic {authorization}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the request is sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    // A deletion succeeds as well when there is nothing to delete.
    let fine = status.starts_with('2') || (method == "DELETE" && status == "404");
    assert!(fine || std::thread::panicking(), "{method} {path}: {head}");
    body.to_owned()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
