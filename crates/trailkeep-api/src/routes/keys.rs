//! `/api/v1/keys`

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use tokio::sync::oneshot;
use trailkeep_catalog::KeyRecord;
use trailkeep_event::{Micros, Recorder};
use trailkeep_io::Tasks;
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::keys::NewKey;
use crate::principal::Principal;
use crate::routes::lost;
use crate::{ErrorCode, Problem, ProblemDocument};

/// A key as it is shown; its token is not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownKey {
    /// The key's identifier.
    key_id: String,
    /// Its name for people.
    name: String,
    /// The ends of its token.
    masked: String,
    /// What its bearer may read.
    #[schema(value_type = Option<Object>)]
    read: Option<trailkeep_scope::ReadScope>,
    /// What its bearer may write.
    #[schema(value_type = Option<Object>)]
    write: Option<trailkeep_scope::WriteScope>,
    /// Whether its bearer may administer the store.
    operator: bool,
    /// When it was made.
    created_at: String,
    /// From when it is no longer good.
    expires_at: Option<String>,
    /// When it was revoked.
    revoked_at: Option<String>,
}

/// A key that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeKey {
    /// The token. It is shown this once and stored nowhere.
    token: String,
    /// The key.
    key: ShownKey,
}

/// All keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyList {
    /// The keys, in the order they were made.
    items: Vec<ShownKey>,
}

impl From<KeyRecord> for ShownKey {
    fn from(key: KeyRecord) -> Self {
        Self {
            key_id: key.key_id,
            name: key.name,
            masked: key.masked,
            read: key.read,
            write: key.write,
            operator: key.operator,
            created_at: key.created_at.to_string(),
            expires_at: key.expires_at.map(|at| at.to_string()),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
        }
    }
}

/// Makes a key.
///
/// Needs an operator key. The token is in the answer and nowhere else.
#[utoipa::path(
    post, path = "/api/v1/keys", operation_id = "create_key", tag = "keys", request_body = NewKey,
    responses(
        (status = 201, description = "The key and its token", body = MadeKey),
        (status = 400, description = "A member is wrong", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "Not an operator key", body = ProblemDocument),
    ),
)]
pub(crate) async fn create(
    State(desk): State<Desk>,
    principal: Principal,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<MadeKey>), Problem> {
    principal.administers()?;
    let new: NewKey = desk.json_body(&headers, body).await?;
    let now = Micros(desk.clock.now_micros());
    let (key, token) = new
        .mint(&*desk.entropy, now)
        .map_err(|detail| Problem::new(ErrorCode::InvalidBody, detail))?;
    let tasks = desk.tasks().clone();
    let key = to_the_end(&tasks, async move {
        desk.keys.add(&key).await.map_err(|error| failed(&error))?;
        record(&desk, "key.created", &principal, &key.key_id).await.map(|()| key)
    })
    .await?;
    Ok((StatusCode::CREATED, Json(MadeKey { token, key: key.into() })))
}

/// Lists the keys, also those that are no longer good.
#[utoipa::path(
    get, path = "/api/v1/keys", operation_id = "list_keys", tag = "keys",
    responses(
        (status = 200, description = "The keys", body = KeyList),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "Not an operator key", body = ProblemDocument),
    ),
)]
pub(crate) async fn list(
    State(desk): State<Desk>,
    principal: Principal,
) -> Result<Json<KeyList>, Problem> {
    principal.administers()?;
    let keys = desk.keys.all().await.map_err(|error| failed(&error))?;
    Ok(Json(KeyList { items: keys.into_iter().map(ShownKey::from).collect() }))
}

/// Revokes a key at once.
#[utoipa::path(
    delete, path = "/api/v1/keys/{key_id}", operation_id = "revoke_key", tag = "keys",
    params(("key_id" = String, Path, description = "The key's identifier")),
    responses(
        (status = 204, description = "The key is no longer good"),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "Not an operator key", body = ProblemDocument),
        (status = 404, description = "No such key, or revoked already", body = ProblemDocument),
    ),
)]
pub(crate) async fn revoke(
    State(desk): State<Desk>,
    principal: Principal,
    Path(key_id): Path<String>,
) -> Result<StatusCode, Problem> {
    principal.administers()?;
    let tasks = desk.tasks().clone();
    to_the_end(&tasks, async move {
        if !desk.keys.revoke(&key_id).await.map_err(|error| failed(&error))? {
            let detail = "there is no such key, or it is revoked already";
            return Err(Problem::new(ErrorCode::NotFound, detail).at_field("key_id"));
        }
        record(&desk, "key.revoked", &principal, &key_id).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Does a change whole, also where the client goes away meanwhile: a key that is changed in the
/// catalog is changed in memory and in the log, too.
async fn to_the_end<T: Send + 'static>(
    tasks: &Tasks,
    change: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    let (answer, answered) = oneshot::channel();
    // Where the client is gone nobody takes the answer.
    tasks.spawn("change a key", async move { drop(answer.send(change.await)) });
    answered.await.map_err(|error| lost(&error))?
}

async fn record(
    desk: &Desk,
    action: &'static str,
    principal: &Principal,
    key_id: &str,
) -> Result<(), Problem> {
    let metadata = serde_json::json!({ "by_key": principal.key_id(), "key_id": key_id });
    let row = desk.store.system_event(action, "notice", &metadata.to_string());
    let store = desk.store.clone();
    let recorded = desk.tasks().spawn_blocking("record a change", move || store.record(row));
    recorded.await.map_err(|error| lost(&error))?.map_err(|error| {
        let detail = "it was done, but could not be recorded in the log";
        Problem::new(ErrorCode::Unavailable, detail).caused_by(&error)
    })
}

fn failed(error: &trailkeep_catalog::Error) -> Problem {
    Problem::new(ErrorCode::Internal, "the catalog could not do it").caused_by(error)
}
