//! The files of the database are removed or replaced under the running service, or its clock is in
//! doubt: nothing is written where it would be lost, and `/ready` says why.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::support::{Answer, Browser, Device, NOON, Service};

fn file(service: &Service, suffix: &str) -> PathBuf {
    let mut name = OsString::from("companion.sqlite");
    name.push(suffix);
    service.folder.path().join(name)
}

async fn ready(service: &Service) -> Answer {
    Browser::new().get(&format!("{}/ready", service.url)).await
}

#[tokio::test]
async fn without_a_file_of_the_database_nothing_is_written() {
    for (suffix, named) in [
        ("", "the database file was removed or replaced"),
        ("-wal", "the write-ahead log of the database (-wal) was removed or replaced"),
        ("-shm", "the index of the write-ahead log (-shm) was removed or replaced"),
        (".lock", "the lock file of the database (.lock) was removed or replaced"),
    ] {
        let (service, device) = (Service::start().await, Device::new());
        let session = device.sign_in(&service).await;
        let token = session["refresh_token"].as_str().unwrap();
        assert_eq!(ready(&service).await.status, 200);
        std::fs::remove_file(file(&service, suffix)).unwrap();
        for state in ["removed", "replaced"] {
            let answer = device.refresh(&service, token).await;
            assert_eq!(answer.error(), (503, "temporarily_unavailable".into()), "{suffix} {state}");
            let answer = ready(&service).await;
            assert_eq!(answer.status, 503, "{suffix} {state}");
            let reason = answer.json()["error_description"].as_str().unwrap().to_owned();
            assert!(reason.starts_with(named), "{reason}");
            std::fs::write(file(&service, suffix), b"").unwrap();
        }
    }
}

#[tokio::test]
async fn a_clock_in_doubt_is_told_at_ready_and_the_service_goes_on() {
    let service = Service::start().await;
    let answer = ready(&service).await;
    assert_eq!((answer.status, answer.json()["clock"].as_str()), (200, Some("plausible")));
    for (now, clock) in [(NOON + 200 * 24 * 3600, "ahead"), (NOON - 2 * 24 * 3600, "behind")] {
        let (service, device) = (Service::start().await, Device::new());
        device.sign_in(&service).await;
        let service = service.restart_at(now).await;
        let answer = ready(&service).await;
        assert_eq!((answer.status, answer.json()["clock"].as_str()), (200, Some(clock)));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("the clock of this machine"), "{detail}");
    }
}

#[tokio::test]
async fn an_unavailable_database_is_told_as_such_and_the_callback_may_come_again() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    let (lock, away) = (file(&service, ".lock"), file(&service, ".away"));
    std::fs::rename(&lock, &away).unwrap();
    let answer = browser.callback(&service, &provider, "code").await;
    assert_eq!((answer.status, answer.problem()), (503, "service_unavailable"));
    assert!(!answer.header("refresh").is_empty(), "the page asks again by itself");
    assert_eq!(service.exchanges(), 0);
    std::fs::rename(&away, &lock).unwrap();
    assert_eq!(browser.callback(&service, &provider, "code").await.status, 303);
}
