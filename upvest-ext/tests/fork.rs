//! A forked process never generates the same keys or nonces as its parent. A fork copies the state of every generator
//! in the process, as a snapshot of a virtual machine does.

mod common;

#[cfg(unix)]
fn main() {
    use std::collections::BTreeSet;
    use std::io::{Read as _, Write as _, pipe};

    // Generators in the process are seeded before the fork.
    draw();
    let (mut reader, mut writer) = pipe().unwrap();
    if fork::fork().unwrap().is_child() {
        writer.write_all(draw().join("\n").as_bytes()).unwrap();
        drop(writer);
        std::process::exit(0);
    }
    drop(writer);
    let ours: BTreeSet<_> = draw().into_iter().collect();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let theirs: BTreeSet<_> = text.lines().map(str::to_owned).collect();
    assert_eq!(ours.len(), 6, "{ours:?} {theirs:?}");
    assert_eq!(theirs.len(), 6, "{ours:?} {theirs:?}");
    let shared: Vec<_> = ours.intersection(&theirs).collect();
    assert!(shared.is_empty(), "drawn by both: {shared:?}");
    println!("keys and nonces differ after a fork ... ok");
}

/// Two of each type of value that must be unique.
#[cfg(unix)]
fn draw() -> Vec<String> {
    use upvest_ext::IdempotencyKey;
    use upvest_ext::signing::{KeyAlgorithm, RequestSigner, SigningKey};

    let api = common::FakeApi::new(|_, _| common::Reply::order());
    let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let upvest = api
        .builder()
        .signer(RequestSigner::new("key", key).unwrap())
        .build()
        .unwrap();
    let mut drawn = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        for _ in 0..2 {
            drawn.push(IdempotencyKey::generate().to_string());
            upvest
                .create_order()
                .body(common::order())
                .send()
                .await
                .unwrap();
        }
    });
    for order in api.seen() {
        drawn.push(order.header("idempotency-key").to_owned());
        let (_, nonce) = order
            .header("signature-input")
            .split_once("nonce=")
            .unwrap();
        drawn.push(nonce.to_owned());
    }
    drawn
}

#[cfg(not(unix))]
fn main() {}
