//! The same over HTTP/2: many calls on one connection.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::dialect::{ALL, Ask};
use super::gateway::{KEY, both, soon};

#[tokio::test]
async fn calls_share_one_connection_and_one_that_is_given_up_disturbs_no_other() {
    let (mock, gateway) = both().await;
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        let _ = connection.await;
    });
    let address = gateway.address;
    let request = move |dialect: super::dialect::Dialect, model: &str, stream: bool, prompt: &str| {
        let body = dialect.body(model, stream, &Ask { prompt: prompt.to_owned(), ..Ask::default() });
        http::Request::post(format!("http://{address}{}", dialect.path(model, stream)))
            .header("authorization", format!("Bearer {KEY}"))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .unwrap()
    };
    let mut given_up = sender.clone();
    let stalled = request(ALL[0], "openai/gpt-4o+chunks=30+stall_at=10", true, "hello");
    let mut answer = given_up.send_request(stalled).await.unwrap();
    assert!(answer.frame().await.unwrap().is_ok());
    let mut calls = JoinSet::new();
    for number in 0..30_usize {
        let (client, upstream) = (ALL[number % 3], ALL[number / 3 % 3]);
        let mut sender = sender.clone();
        calls.spawn(async move {
            let prompt = format!("number {number}");
            let stream = number % 2 == 0;
            let answer = sender.send_request(request(client, upstream.model(), stream, &prompt)).await.unwrap();
            assert_eq!(answer.status(), 200);
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let text = String::from_utf8(body.to_vec()).unwrap();
            let body = if stream { client.fold(&text) } else { serde_json::from_str(&text).unwrap() };
            assert_eq!(client.read(&body).text, format!("Mock reply to: {prompt}"));
        });
    }
    drop(answer);
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
    soon("the upstream of the stream that was given up is let go", mock.service().wait_aborted(1)).await;
    assert_eq!(gateway.records(31).await.len(), 31);
}
