//! Causes of internal errors: one function logs them, and no API layer reads them.

use crate::support::source_files::rust_files;

#[test]
fn api_layers_leave_causes_to_the_one_function_that_logs_them() {
    for file in rust_files(&["src/http", "src/graphql", "src/dialects", "src/gateway"]) {
        assert!(!file.code().contains("Error::Internal(cause"), "{}: call `Error::log`", file.path);
    }
}
