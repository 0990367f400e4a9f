//! tmp
use crate::rows::*;
use std::ops::ControlFlow;
use trailkeep_event::*;
use trailkeep_segment::*;
#[test]
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::as_conversions
)]
fn speed() {
    let mut batches = Vec::new();
    let mut x = 1u64;
    for frame in 0..100u64 {
        let rows: Vec<Row> = (0..1400)
            .map(|n| {
                x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let mut b = RowBuilder::default();
                b.set(
                    Field::AccountId,
                    ValueRef::Text(["a", "b", "c", "d"][(x >> 33) as usize % 4]),
                );
                b.set(
                    Field::OccurredAt,
                    ValueRef::Time(Micros(
                        1_700_000_000_000_000 + (frame * 1400 + n) as i64 * 1000,
                    )),
                );
                b.set(Field::Action, ValueRef::Text("license.suspended"));
                b.set(Field::Category, ValueRef::Text("api"));
                b.set(Field::Outcome, ValueRef::Text("success"));
                b.set(Field::Schema, ValueRef::Int(1));
                b.set(Field::Status, ValueRef::Int(200));
                b.set(Field::Route, ValueRef::Text("/api/v1/licenses/{id}"));
                b.set(Field::Method, ValueRef::Text("GET"));
                b.set(Field::DurationUs, ValueRef::Int((x >> 40) as i64 % 100_000));
                b.set(Field::Path, ValueRef::Text(&format!("/api/v1/licenses/{:x}", x >> 20)));
                b.set(Field::ResourceId, ValueRef::Text(&format!("{:x}", x >> 20)));
                b.set(Field::CorrelationId, ValueRef::Text(&format!("{:032x}", x)));
                b.set(Field::ActorId, ValueRef::Text(&format!("u{}", x >> 50)));
                b.set(
                    Field::Ip,
                    ValueRef::Text(&format!("10.0.{}.{}", (x >> 40) & 255, (x >> 48) & 15)),
                );
                b.set(Field::UserAgent, ValueRef::Text("Mozilla/5.0 (X11; Linux x86_64)"));
                b.set(
                    Field::Metadata,
                    ValueRef::Json(&format!("{{\"sdk\":\"rust\",\"seat\":{}}}", x >> 55)),
                );
                b.finish()
            })
            .collect();
        batches.push(batch(frame, 1_700_000_000_000_000, &rows));
    }
    let store = memory();
    let t = std::time::Instant::now();
    let meta = sealed(&store, &batches, &options(1, Cut::default()));
    eprintln!(
        "seal {:?} us/row, {} B/row",
        t.elapsed().as_micros() as f64 / 140_000.0,
        meta.bytes as f64 / 140_000.0
    );
    let t = std::time::Instant::now();
    let reader = open(&store, &meta);
    eprintln!("open {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let mut n = 0;
    let plan = ScanPlan { accounts: None, from: None, to: None, fields: &[Field::Status] };
    reader
        .scan(&plan, &mut |_, v| {
            n += v.get(Field::Status).is_some() as u32;
            ControlFlow::Continue(())
        })
        .unwrap();
    eprintln!("scan {n} {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let rows: Vec<u32> = (70_000..70_050).collect();
    reader.fetch(&rows).unwrap();
    eprintln!("fetch 50 {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let rows: Vec<u32> = (0..50).map(|n| n * 2700).collect();
    reader.fetch(&rows).unwrap();
    eprintln!("fetch 50 scattered {:?}", t.elapsed());
    let t = std::time::Instant::now();
    reader.find(batches[50].entry(&key(), 7).unwrap().0.stamp.position).unwrap().unwrap();
    eprintln!("find {:?}", t.elapsed());
    let t = std::time::Instant::now();
    reader.verify().unwrap();
    eprintln!("verify {:?} us/row", t.elapsed().as_micros() as f64 / 140_000.0);
    let t = std::time::Instant::now();
    merge(&store, &key(), &[meta], [3; 16]).unwrap();
    eprintln!("merge {:?} us/row", t.elapsed().as_micros() as f64 / 140_000.0);
}
