//! Charts: counts over time.

use serde_json::{Map, Value, json};
use trailkeep_event::Micros;

use super::World;
use super::looked::{Kind, Looked, STEPS, bucket, floor};
use super::questions::{Compared, Selection, check};

/// From this step on a chart of all events has few enough buckets to be made.
const STEP_FIRST: usize = 7;
const BUCKETS_MAX: i64 = 200;

/// The buckets of a chart.
struct Buckets {
    step: i64,
    starts: Vec<i64>,
}

impl World<'_> {
    /// Counts over time.
    pub(super) async fn histogram(&mut self) -> Compared {
        let mut maker = self.maker();
        let selection = maker.selection();
        let split = maker.chance(60).then(|| maker.group());
        let step = maker.chance(60).then(|| *maker.random.pick(&STEPS[STEP_FIRST..]));
        let limit = *maker.random.pick(&[1, 2, 5, 50]);
        let mut more: Vec<(&'static str, String)> = Vec::new();
        more.extend(step.map(|(name, _)| ("step", name.to_owned())));
        if let Some(split) = &split {
            more.extend([("split", split.name.clone()), ("limit", limit.to_string())]);
        }
        let found = self.get(&selection, "/api/v1/events/histogram", &more).await?;
        let totals = self.count(&selection).await;
        let asked = (&selection, &more);
        check(
            json!([found["rows"], found["estimated"]]) == totals,
            "totals of a histogram",
            &asked,
            &found,
            &totals,
        )?;
        let ends = format!(
            "SELECT json_array(min(sort_us), max(sort_us)) FROM events e WHERE {}",
            selection.condition()
        );
        let ends = self.oracle.ask_one(&ends).await;
        let from = selection.from.or(ends[0].as_i64());
        let to = selection.to.map(|to| to - 1).or(ends[1].as_i64());
        let (Some(from), Some(to)) = (from, to) else { return Ok(false) };
        let reach = |step: i64| (floor(to, step) - floor(from, step)) / step + 1;
        let (name, step) = step.unwrap_or_else(|| {
            *STEPS.iter().find(|(_, step)| reach(*step) <= BUCKETS_MAX).unwrap()
        });
        check(found["step"] == name, "step", &asked, &found["step"], &json!(name))?;
        let starts: Vec<i64> = (0..reach(step)).map(|n| floor(from, step) + n * step).collect();
        let times: Vec<String> = starts.iter().map(|at| Micros(*at).to_string()).collect();
        check(found["times"] == json!(times), "times", &asked, &found["times"], &json!(times))?;
        let buckets = Buckets { step, starts };
        let series = self.series(&selection, split.as_ref(), &buckets, limit).await;
        check(found["series"] == series, "series", &asked, &found["series"], &series)?;
        Ok(totals[0] != json!(0))
    }

    async fn series(
        &mut self,
        selection: &Selection,
        split: Option<&Looked>,
        buckets: &Buckets,
        limit: usize,
    ) -> Value {
        let Buckets { step, starts } = buckets;
        let (value, kind) =
            split.map_or(("NULL", Kind::Plain), |split| (split.sql.as_str(), split.kind));
        let of = format!(
            "SELECT {value} AS v, {} AS at, coalesce(sample_rate, 1) AS w FROM events e WHERE {}",
            bucket("sort_us", *step),
            selection.condition()
        );
        let ranks = format!(
            "SELECT json_array({}) FROM ({of}) GROUP BY v ORDER BY count(*) DESC, v IS NULL, v",
            kind.shown("v")
        );
        let counts = format!(
            "SELECT json_array({}, at, count(*), sum(w)) FROM ({of}) GROUP BY v, at",
            kind.shown("v")
        );
        let ranks: Vec<Value> =
            self.oracle.ask(&ranks).await.iter().map(|row| row[0].clone()).collect();
        let counts = self.oracle.ask(&counts).await;
        let n_apart = if split.is_some() { limit.min(ranks.len()) } else { 1 };
        let mut series: Vec<[Vec<u64>; 2]> =
            vec![[vec![0; starts.len()], vec![0; starts.len()]]; n_apart + 1];
        let mut n_others = 0;
        for row in &counts {
            let rank = ranks.iter().position(|value| *value == row[0]).unwrap().min(n_apart);
            n_others += usize::from(rank == n_apart);
            let at = starts.binary_search(&row[1].as_i64().unwrap()).unwrap();
            series[rank][0][at] += row[2].as_u64().unwrap();
            series[rank][1][at] += row[3].as_u64().unwrap();
        }
        if n_others == 0 {
            series.truncate(n_apart);
        }
        let one = |(rank, [rows, estimated]): (usize, &[Vec<u64>; 2])| {
            let mut one = Map::new();
            match ranks.get(rank).filter(|_| rank < n_apart) {
                _ if split.is_none() => None,
                Some(value) => one.insert("value".to_owned(), value.clone()),
                None => one.insert("other".to_owned(), json!(true)),
            };
            one.insert("rows".to_owned(), json!(rows));
            one.insert("estimated".to_owned(), json!(estimated));
            Value::Object(one)
        };
        series.iter().enumerate().map(one).collect()
    }
}
