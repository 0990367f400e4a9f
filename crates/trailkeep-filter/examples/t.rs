use trailkeep_event::*; use trailkeep_filter::Filter; use std::time::Instant;
fn main(){
 let md=std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
 let ev=format!(r#"{{"account_id":"6885c7aa9debb6f321855c2d","action":"windows.4658","occurred_at":"2026-01-31T12:00:00.5Z","category":"auth","status":200,"duration_us":1200,"path":"/api/v1/pathways/12","actor_id":"arn:aws:iam::123:user/x","actor_label":"Ann Doe","ip":"10.1.2.3","resource_id":"HKLM","error":{{"code":"E","message":"not allowed here"}},"correlation_id":"01980000-0000-7abc-8def-0123456789ab","metadata":{md}}}"#);
 let row=read_event(ev.as_bytes(),&EventLimits::STANDARD,&mut RowBuilder::default()).unwrap_or_else(|e| panic!("{e:?}"));
 println!("row bytes {}",row.as_bytes().len());
 for q in ["status:>=500","status:>=500","account:x","category:api","action:license.suspended","path:/api/v2*","path:*containers*","metadata.EventID:1","metadata.EventID:>99999","metadata.zzz:*","error_message:reached","zzzzz","eeeeq","\"limit reached\"","foo*bar"]{
  let f=Filter::parse(q).unwrap(); let n=200000; let t=Instant::now(); let mut c=0;
  for _ in 0..n { c+=usize::from(f.matches(std::hint::black_box(&row))); }
  println!("{q:28} {:>8.1} ns {c}", t.elapsed().as_nanos() as f64/n as f64);
 }}
