//! HTTP routes, wire types, error mapping and OpenAPI.
