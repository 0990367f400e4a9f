//! Gives the rows of a plan one order and one bound.
//!
//! What an engine answers in any order depends on where entries are stored, and so would which
//! rows a LIMIT lets through: an entry outside the scope must not.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::{
    Expr, Limit, LogicalPlan, LogicalPlanBuilder, Projection, Sort, SortExpr,
};

/// Sorts what is limited, and the whole by all its columns where the statement says nothing else,
/// and lets at most `rows_max` rows through.
pub(crate) fn ordered(plan: LogicalPlan, rows_max: usize) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Limit(limit) => {
            let input = sorted(Arc::unwrap_or_clone(limit.input))?;
            Ok(Transformed::yes(LogicalPlan::Limit(Limit { input: Arc::new(input), ..limit })))
        }
        other => Ok(Transformed::no(other)),
    })?;
    let plan = match plan.data {
        limit @ LogicalPlan::Limit(_) => limit,
        other => sorted(other)?,
    };
    LogicalPlanBuilder::from(plan).limit(0, Some(rows_max))?.build()
}

/// Sorts by all columns, behind what is sorted by already.
fn sorted(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Sort(mut sort) => {
            let rest = by_all(sort.input.schema(), &sort.expr);
            sort.expr.extend(rest);
            Ok(LogicalPlan::Sort(sort))
        }
        // What is sorted by but not shown is taken away above the sort.
        LogicalPlan::Projection(projection) if is_sort(&projection.input) => {
            let input = sorted(Arc::unwrap_or_clone(projection.input))?;
            Projection::try_new(projection.expr, Arc::new(input)).map(LogicalPlan::Projection)
        }
        other => {
            let expr = by_all(other.schema(), &[]);
            if expr.is_empty() {
                return Ok(other);
            }
            Ok(LogicalPlan::Sort(Sort { expr, input: Arc::new(other), fetch: None }))
        }
    }
}

fn is_sort(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Sort(_))
}

fn by_all(schema: &DFSchema, known: &[SortExpr]) -> Vec<SortExpr> {
    schema
        .iter()
        .filter(|(_, field)| sorts(field.data_type()))
        .map(|part| Expr::Column(Column::from(part)))
        .filter(|column| known.iter().all(|known| known.expr != *column))
        .map(|column| column.sort(true, false))
        .collect()
}

fn sorts(kind: &DataType) -> bool {
    kind.is_primitive() || kind.is_string() || matches!(kind, DataType::Boolean)
}
