use std::io;

use gw_mock::{MockServer, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn send(server: &MockServer, model: &str) -> TcpStream {
    let body = format!(r#"{{"model":"{model}","stream":true,"messages":[{{"role":"user","content":"hello"}}]}}"#);
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: mock\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(body.as_bytes()).await.unwrap();
    socket
}

async fn read_all(mut socket: TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn a_stream_over_a_socket_ends_properly() {
    let server = MockServer::start(Settings::recording()).await.unwrap();
    let text = read_all(send(&server, "m").await).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    assert!(text.contains("data: [DONE]") && text.ends_with("0\r\n\r\n"), "{text}");
    server.service().wait_idle().await;
    assert_eq!((server.service().completed(), server.service().aborted()), (1, 0));
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_while_waiting_and_while_reading() {
    let server = MockServer::start(Settings::recording()).await.unwrap();
    let waiting = send(&server, "m+delay=1m").await;
    server.service().wait_started(1).await;
    drop(waiting);
    server.service().wait_aborted(1).await;

    let mut reading = send(&server, "m+stall_at=2").await;
    let mut first = [0; 16];
    reading.read_exact(&mut first).await.unwrap();
    assert_eq!(server.service().in_flight(), 1);
    drop(reading);
    server.service().wait_aborted(2).await;
    assert_eq!(server.service().in_flight(), 0);
}

#[tokio::test]
async fn reset_and_cut_break_the_connection() {
    let server = MockServer::start(Settings::default()).await.unwrap();
    let reset = read_all(send(&server, "m+reset=1").await).await.unwrap_or_default();
    assert_eq!(reset, "");
    let cut = read_all(send(&server, "m+cut=2").await).await.unwrap_or_default();
    assert!(cut.contains("chat.completion.chunk") && !cut.ends_with("0\r\n\r\n"), "{cut}");
}

#[tokio::test]
async fn bytes_arrive_as_single_pieces() {
    let server = MockServer::start(Settings::default()).await.unwrap();
    let text = read_all(send(&server, "m+bytes=64").await).await.unwrap();
    // Every piece is a chunk of its own in HTTP/1.1: 0x40 bytes.
    assert!(text.matches("\r\n40\r\n").count() > 5, "{text}");
}
