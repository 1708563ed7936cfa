//! Request bodies: bounded in size and time, whatever their length claims.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::limits::{BODY_BYTES_MAX, REQUEST_BODY_MS_MAX};

/// Reads a whole body. One that says it is too large is not begun.
pub(crate) async fn read(body: Body) -> Result<Bytes, WireError> {
    let too_large =
        || WireError::new(ErrorCode::TooLarge, format!("a body has at most {BODY_BYTES_MAX} bytes"));
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(too_large());
    }
    let whole = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(Duration::from_millis(REQUEST_BODY_MS_MAX), whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(WireError::new(ErrorCode::BadRequest, "the body broke off")),
        Err(_elapsed) => Err(WireError::new(ErrorCode::BadRequest, "the body took too long")),
    }
}

/// Reads a whole body as text.
pub(crate) async fn text(body: Body) -> Result<String, WireError> {
    String::from_utf8(read(body).await?.into())
        .map_err(|_| WireError::new(ErrorCode::BadRequest, "the body is not UTF-8"))
}

/// Reads a JSON object; an empty body is an empty object.
pub(crate) async fn json<T: serde::de::DeserializeOwned>(body: Body) -> Result<T, WireError> {
    let text = text(body).await?;
    let text = if text.trim().is_empty() { "{}" } else { &text };
    serde_json::from_str(text)
        .map_err(|_| WireError::new(ErrorCode::BadRequest, "the body is not the JSON expected here"))
}
