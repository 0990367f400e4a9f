fn main() {
    use trailkeep_import::*;
    for (f, p) in [
        (Format::Combined, "apache-combined/access.log"),
        (Format::CloudTrail, "cloudtrail-invictus/events.ndjson"),
        (Format::Windows, "w.ndjson"),
        (Format::Ndjson, "n"),
    ] {
        let b = match p { "w.ndjson" => std::fs::read("/tmp/w.ndjson").unwrap(), "n" => (0..20000).map(|i| format!("{{\"account_id\":\"acme\",\"action\":\"license.activate\",\"occurred_at\":\"2026-01-01T00:00:00Z\",\"actor_id\":\"user_{i}\",\"ip\":\"10.0.0.1\",\"status\":200,\"metadata\":{{\"sdk\":\"x\",\"n\":{i}}}}}\n")).collect::<String>().into_bytes(), _=> std::fs::read(format!("/work/shared/data/{p}")).unwrap()};
        let c = Converter::new(Mapping::builtin(f), None).unwrap();
        let t = std::time::Instant::now();
        let mut n = 0u64;
        let mut out = vec![];
        let mut rec = vec![];
        for _ in 0..10 {
            let mut r = RecordReader::new(&b[..], Mapping::builtin(f).layout());
            while let Some(_) = r.next(&mut rec).unwrap() {
                out.clear();
                let _ = c.convert(&rec, &mut out);
                n += 1;
            }
        }
        let e = t.elapsed();
        println!(
            "{f} {n} {:.0}/s {:.1} MB/s",
            n as f64 / e.as_secs_f64(),
            b.len() as f64 * 10.0 / 1e6 / e.as_secs_f64()
        );
    }
}
