//! What a statement may use: one table, listed functions, bounded memory, no files.

use std::sync::Arc;

use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
    SchemaProvider,
};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::execution::{SessionState, SessionStateDefaults};
use datafusion::functions::all_default_functions;
use datafusion::functions_aggregate::all_default_aggregate_functions;
use datafusion::functions_window::all_default_window_functions;
use datafusion::logical_expr::ScalarUDF;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::prelude::SessionConfig;
use trailkeep_event::Micros;

use super::events::Events;
use super::member::{MemberOf, Subscripts};
use super::now::Now;
use super::statement::TABLE;
use crate::{AnalyzeOptions, Error};

/// The functions of values. None makes a text that is longer than what it is given, none tells
/// about the machine or the time, none is random.
const SCALAR: &[&str] = &[
    "abs",
    "btrim",
    "ceil",
    "character_length",
    "coalesce",
    "contains",
    "date_bin",
    "date_part",
    "date_trunc",
    "ends_with",
    "exp",
    "floor",
    "greatest",
    "least",
    "left",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "nullif",
    "nvl",
    "octet_length",
    "power",
    "regexp_like",
    "right",
    "round",
    "rtrim",
    "signum",
    "split_part",
    "sqrt",
    "starts_with",
    "strpos",
    "substr",
    "to_date",
    "to_timestamp",
    "trunc",
    "upper",
];
/// The functions of groups. None depends on the order of rows.
const AGGREGATE: &[&str] = &[
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "grouping",
    "max",
    "median",
    "min",
    "percentile_cont",
    "stddev",
    "stddev_pop",
    "sum",
    "var",
    "var_pop",
];

/// Makes the session of one statement.
pub(crate) fn state(
    events: Arc<Events>,
    now: Micros,
    options: &AnalyzeOptions,
) -> Result<SessionState, Error> {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(options.memory_max)))
        .with_disk_manager_builder(
            DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
        )
        .build_arc()
        .map_err(Error::engine)?;
    let config = SessionConfig::new()
        .with_target_partitions(options.threads.max(1))
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false)
        .with_default_catalog_and_schema("trailkeep", "public");
    let ours = [ScalarUDF::from(MemberOf::default()), ScalarUDF::from(Now::at(now))];
    let scalar = all_default_functions()
        .into_iter()
        .filter(|function| SCALAR.contains(&function.name()))
        .chain(ours.map(Arc::new))
        .collect();
    let aggregate = all_default_aggregate_functions()
        .into_iter()
        .filter(|function| AGGREGATE.contains(&function.name()))
        .collect();
    let subscripts: Arc<dyn ExprPlanner> = Arc::new(Subscripts);
    let planners: Vec<Arc<dyn ExprPlanner>> =
        SessionStateDefaults::default_expr_planners().into_iter().chain([subscripts]).collect();
    Ok(SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_catalog_list(catalog(events)?)
        .with_scalar_functions(scalar)
        .with_aggregate_functions(aggregate)
        .with_window_functions(all_default_window_functions())
        .with_expr_planners(planners)
        .build())
}

fn catalog(events: Arc<Events>) -> Result<Arc<MemoryCatalogProviderList>, Error> {
    use datafusion::catalog::CatalogProviderList;
    let schema = Arc::new(MemorySchemaProvider::new());
    schema.register_table(TABLE.to_owned(), events).map_err(Error::engine)?;
    let catalog = Arc::new(MemoryCatalogProvider::new());
    catalog.register_schema("public", schema).map_err(Error::engine)?;
    let list = MemoryCatalogProviderList::new();
    list.register_catalog("trailkeep".to_owned(), catalog);
    Ok(Arc::new(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_what_there_is() {
        let page = include_str!("../../../../docs/reference/analyze.md");
        let windows = all_default_window_functions();
        let windows: Vec<&str> = windows.iter().map(|function| function.name()).collect();
        for names in [SCALAR, AGGREGATE, windows.as_slice()] {
            for name in names {
                let listed = page.split(|c: char| !c.is_alphanumeric() && c != '_');
                assert!(listed.into_iter().any(|word| word == *name), "{name}");
            }
        }
        let scalar = all_default_functions();
        let aggregate = all_default_aggregate_functions();
        let there: Vec<&str> = scalar
            .iter()
            .map(|function| function.name())
            .chain(aggregate.iter().map(|function| function.name()))
            .collect();
        for name in SCALAR.iter().chain(AGGREGATE) {
            assert!(there.contains(name), "{name}");
        }
    }
}
