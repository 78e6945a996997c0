//! The companion under load, with the floors of the same minutes around it: half of the disk's
//! floor is taken before the load and half after it, so that a neighbour who comes or goes shows in
//! both.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use keyport_test_postgres::Cluster;
use keyport_tests::{World, wait};

use crate::floors::{self, Place};
use crate::kernel;
use crate::refreshes::{self, Device, Load};
use crate::report::Report;
use crate::samples::Samples;

/// Connections of the larger load.
const MANY: usize = 32;
/// Starts of the companion.
const STARTS: usize = 20;

/// Refreshes, empty requests, floors and ratios; `runs` is for one connection of the larger load.
pub async fn measure(world: &World, report: &mut Report, runs: usize) -> Result<()> {
    let mut devices = sign_in(world).await?;
    let (appends, overwrites) = disk(world, runs)?;
    let mut others = devices.split_off(1);
    let (one, mut devices) = refreshes::refresh(world, devices, 5 * runs).await?;
    devices.append(&mut others);
    let (many, _) = refreshes::refresh(world, devices, runs).await?;
    let (later_appends, later_overwrites) = disk(world, runs)?;
    let after_load = kernel::memory_kib(world.companion.id(), "VmRSS")?;
    let empty_one = refreshes::empty(world, 1, 10 * runs).await?;
    let empty_many = refreshes::empty(world, MANY, 5 * runs).await?;
    let verify = Samples::of(floors::verifications(10 * runs)?).context("no run")?;

    let fdatasyncs = per_second(&appends, &later_appends);
    let append = Samples::of([appends, later_appends].concat()).context("no run")?;
    let overwrite = Samples::of([overwrites, later_overwrites].concat()).context("no run")?;
    report.time("refresh, 1 client", &one.latencies, None);
    report.time("refresh, 32 clients at once", &many.latencies, None);
    report.time("floor: 4 KiB appended and one fdatasync", &append, None);
    report.time("floor: 4 KiB written over and one fdatasync", &overwrite, None);
    report.time("floor: one ES256 verification (aws-lc-rs)", &verify, None);
    report.time("floor: empty GET /health, 1 connection", &empty_one.latencies, None);
    for (what, load) in [
        ("durable refreshes, 1 client", &one),
        ("durable refreshes, 32 clients", &many),
        ("floor: empty GET /health, 1 connection", &empty_one),
        ("floor: empty GET /health, 32 connections", &empty_many),
    ] {
        report.rate(what, load.per_second, load.companion_cpu_us);
    }
    report.rate("floor: fdatasync after 4 KiB appended, one after another", fdatasyncs, None);
    compare(report, (&one, &many), (&append, fdatasyncs), &empty_many, &verify);
    report.memory("companion, right after the refreshes", after_load);
    report.memory(
        "companion, the most it ever had",
        kernel::memory_kib(world.companion.id(), "VmHWM")?,
    );
    Ok(())
}

async fn sign_in(world: &World) -> Result<Vec<Device>> {
    let mut devices = Vec::with_capacity(MANY);
    for _ in 0..MANY {
        devices.push(Device::sign_in(world).await?);
    }
    Ok(devices)
}

/// The same refreshes on a PostgreSQL server that does not wait for the disk: what the companion
/// itself needs with it.
pub async fn on_postgres(folder: &Path, report: &mut Report, runs: usize) -> Result<()> {
    let cluster = Cluster::new()?;
    let world = World::with()
        .folder(folder)
        .companion("DATABASE_URL", &cluster.database())
        .companion("KEYPORT_KEY_FILE", &folder.join("keyport.key").display().to_string())
        .start()?;
    let mut devices = sign_in(&world).await?;
    let others = devices.split_off(1);
    let (one, mut devices) = refreshes::refresh(&world, devices, 5 * runs).await?;
    devices.extend(others);
    let (many, _) = refreshes::refresh(&world, devices, runs).await?;
    for (what, load) in [
        ("refreshes on PostgreSQL, not durable, 1 client", &one),
        ("refreshes on PostgreSQL, not durable, 32 clients", &many),
    ] {
        report.time(what, &load.latencies, None);
        report.rate(what, load.per_second, load.companion_cpu_us);
    }
    let memory = kernel::memory_kib(world.companion.id(), "VmHWM")?;
    report.memory("companion with PostgreSQL, the most it ever had", memory);
    Ok(())
}

/// Both floors of the disk.
fn disk(world: &World, runs: usize) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let folder = world.folder();
    Ok((floors::writes(folder, Place::End, runs)?, floors::writes(folder, Place::Within, runs)?))
}

fn compare(
    report: &mut Report,
    (one, many): (&Load, &Load),
    (append, fdatasyncs): (&Samples, f64),
    empty: &Load,
    verify: &Samples,
) {
    let p50 = |samples: &Samples| samples.percentile(50).as_secs_f64();
    report.ratio("refreshes/s, 1 client / fdatasyncs/s", one.per_second / fdatasyncs);
    report.ratio("refreshes/s, 32 clients / fdatasyncs/s", many.per_second / fdatasyncs);
    report.ratio("refreshes/s, 32 clients / 1 client", many.per_second / one.per_second);
    report.ratio("refresh p50, 1 client / fdatasync p50", p50(&one.latencies) / p50(append));
    report.ratio("refresh p50, 32 clients / fdatasync p50", p50(&many.latencies) / p50(append));
    let p95 = many.latencies.percentile(95).as_secs_f64();
    report.ratio("refresh p95, 32 clients / fdatasync p50", p95 / p50(append));
    report.ratio("refreshes/s / empty GETs/s, both 32", many.per_second / empty.per_second);
    for (what, load) in [
        ("CPU of a refresh, 1 client / ES256 verification", one),
        ("CPU of a refresh, 32 clients / ES256 verification", many),
        ("CPU of an empty GET, 32 clients / ES256 verification", empty),
    ] {
        if let Some(cpu) = load.companion_cpu_us {
            report.ratio(what, cpu / 1e6 / p50(verify));
        }
    }
}

fn per_second(before: &[Duration], after: &[Duration]) -> f64 {
    let all: Duration = before.iter().chain(after).sum();
    refreshes::number(before.len() + after.len()) / all.as_secs_f64()
}

/// From the start of the process to its line that it is ready, with the database that the load
/// left.
pub fn starts(world: &mut World, report: &mut Report) -> Result<()> {
    let mut taken = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        world.stop_companion()?;
        let started = Instant::now();
        world.start_companion_again()?;
        taken.push(started.elapsed());
    }
    let taken = Samples::of(taken).context("no run")?;
    report.time("companion: process started to ready, database there", &taken, None);
    report.memory("companion, started again", kernel::memory_kib(world.companion.id(), "VmRSS")?);
    Ok(())
}

/// Waits until the companion answers, then says how much memory it has before the first request.
pub async fn idle(world: &World, report: &mut Report) -> Result<()> {
    wait::until_async("an answer", wait::WAIT_TIMEOUT, async || {
        let url = format!("{}/ready", world.issuer());
        let answer = reqwest::Client::builder().no_proxy().build()?.get(url).send().await?;
        Ok(answer.status().is_success().then_some(()))
    })
    .await?;
    report.memory("companion, idle", kernel::memory_kib(world.companion.id(), "VmRSS")?);
    Ok(())
}
