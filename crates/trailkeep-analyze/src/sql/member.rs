//! Looks into JSON: `metadata['a']['b']`, or `member(metadata, 'a.b')`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringViewBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, GetFieldAccess, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, lit,
};

use crate::member::Member;
use crate::path::segments;

/// `member(json, path)`: the member's value as text, null where there is none.
#[derive(Debug, Eq, Hash, PartialEq)]
pub(crate) struct MemberOf {
    signature: Signature,
}

impl Default for MemberOf {
    fn default() -> Self {
        Self { signature: Signature::string(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for MemberOf {
    fn name(&self) -> &'static str {
        "member"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (json, path) = match args.args.as_slice() {
            [json, ColumnarValue::Scalar(path)] => (json, path.try_as_str().flatten()),
            _ => return Err(plan_error("the path of `member` is a text, not a column")),
        };
        let path = path.ok_or_else(|| plan_error("the path of `member` is a text"))?;
        let parts = segments(path)
            .ok_or_else(|| plan_error("the path of `member` is written like a.b or \"a b\""))?;
        let member = Member::new(&parts);
        let json = json.to_array(args.number_rows)?;
        let json = cast(&json, &DataType::Utf8View)?;
        let mut found = StringViewBuilder::with_capacity(json.len());
        for json in json.as_string_view() {
            found.append_option(json.and_then(|json| member.find(json)));
        }
        let found: ArrayRef = Arc::new(found.finish());
        Ok(ColumnarValue::Array(found))
    }
}

fn plan_error(message: &str) -> DataFusionError {
    DataFusionError::Plan(message.to_owned())
}

/// Plans `json['a']`.
#[derive(Debug)]
pub(crate) struct Subscripts;

impl ExprPlanner for Subscripts {
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        _schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let GetFieldAccess::NamedStructField { name } = &access.field_access else {
            return Ok(PlannerResult::Original(access));
        };
        let key = name.try_as_str().flatten().unwrap_or_default();
        // As one part, whatever its characters.
        let quoted: String = key
            .chars()
            .flat_map(|c| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c]))
            .collect();
        let path = lit(ScalarValue::from(format!("\"{quoted}\"")));
        let name = format!("{}[{key}]", access.expr.schema_name());
        let found: Expr = ScalarUDF::from(MemberOf::default()).call(vec![access.expr, path]);
        Ok(PlannerResult::Planned(found.alias(name)))
    }
}
