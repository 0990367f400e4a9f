//! The function `now()`: the store's own clock, which tests and the simulator own.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use trailkeep_event::Micros;

/// `now()`, the time at which the statement started.
#[derive(Debug, Eq, Hash, PartialEq)]
pub(crate) struct Now {
    at: i64,
    signature: Signature,
    aliases: [String; 1],
}

impl Now {
    pub(crate) fn at(now: Micros) -> Self {
        let signature = Signature::nullary(Volatility::Immutable);
        Self { at: now.0, signature, aliases: ["current_timestamp".to_owned()] }
    }
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &'static str {
        "now"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let now = ScalarValue::TimestampMicrosecond(Some(self.at), None);
        Ok(ColumnarValue::Scalar(now))
    }
}
