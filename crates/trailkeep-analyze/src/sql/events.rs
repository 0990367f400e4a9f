//! The table `events`.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{
    BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType,
};
use datafusion::physical_plan::ExecutionPlan;
use trailkeep_event::{Field, Micros};

use super::Failure;
use super::scan::Scan;
use crate::columns::{Shape, Wanted};
use crate::selection::Narrowing;
use crate::source::Source;

/// The entries of a scope at one moment, with a column for each field.
#[derive(Debug)]
pub(crate) struct Events {
    source: Source,
    failure: Failure,
    schema: SchemaRef,
}

impl Events {
    pub(crate) fn new(source: Source, failure: Failure) -> Self {
        let all: Vec<Wanted> = Field::ALL.iter().copied().map(Wanted::Field).collect();
        Self { source, failure, schema: schema_of(&all) }
    }
}

/// Returns the columns as statements see them.
pub(crate) fn schema_of(wanted: &[Wanted]) -> SchemaRef {
    let column = |wanted: &Wanted| match wanted {
        Wanted::Field(field) => {
            let seen = match Shape::of(*field) {
                Shape::Text => DataType::Utf8View,
                Shape::Int => DataType::Int64,
                Shape::Bool => DataType::Boolean,
                Shape::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
            };
            Some(ArrowField::new(field.name(), seen, true))
        }
        Wanted::SortAt | Wanted::Metadata(_) => None,
    };
    Arc::new(Schema::new(wanted.iter().filter_map(column).collect::<Vec<_>>()))
}

#[async_trait]
impl TableProvider for Events {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // The engine evaluates them all; some also say where to look.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let field = |index: &usize| {
            let field = Field::ALL.get(*index).copied().map(Wanted::Field);
            field.ok_or_else(|| DataFusionError::Internal("no such column".to_owned()))
        };
        let wanted = match projection {
            Some(projection) => projection.iter().map(field).collect::<Result<Vec<_>>>()?,
            None => Field::ALL.iter().copied().map(Wanted::Field).collect(),
        };
        let mut source = Source { wanted, ..self.source.clone() };
        for filter in filters {
            if let Some(narrowing) = narrowing(filter) {
                source.selection.narrow(narrowing);
            }
        }
        match source.parts() {
            Ok(parts) => Ok(Arc::new(Scan::new(source, &parts, Arc::clone(&self.failure)))),
            Err(error) => {
                *self.failure.lock() = Some(error);
                Err(DataFusionError::Execution("a scan failed".to_owned()))
            }
        }
    }
}

/// Finds out where a filter says to look: in some accounts, or before a time.
fn narrowing(filter: &Expr) -> Option<Narrowing> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(value, _)) => compared(&column.name, *op, value),
            (Expr::Literal(value, _), Expr::Column(column)) => {
                compared(&column.name, op.swap()?, value)
            }
            _ => None,
        },
        Expr::InList(InList { expr, list, negated: false }) => {
            let Expr::Column(column) = expr.as_ref() else { return None };
            if column.name != Field::AccountId.name() {
                return None;
            }
            let text = |value: &Expr| match value {
                Expr::Literal(value, _) => value.try_as_str().flatten().map(str::to_owned),
                _ => None,
            };
            list.iter().map(text).collect::<Option<_>>().map(Narrowing::Accounts)
        }
        _ => None,
    }
}

fn compared(column: &str, operator: Operator, value: &ScalarValue) -> Option<Narrowing> {
    if column == Field::AccountId.name() && operator == Operator::Eq {
        return Some(Narrowing::Accounts([value.try_as_str()??.to_owned()].into()));
    }
    // A skewed entry sorts before its occurred_at, never behind it: only an upper bound holds for
    // the time that segments are sorted by.
    let ScalarValue::TimestampMicrosecond(Some(at), None) = value else { return None };
    let before = match operator {
        Operator::Lt => Micros(*at),
        Operator::LtEq | Operator::Eq => Micros(at.saturating_add(1)),
        _ => return None,
    };
    (column == Field::OccurredAt.name()).then_some(Narrowing::Before(before))
}
