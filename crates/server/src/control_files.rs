//! Control-plane files from a directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::settings::Settings;

/// Deepest directory below the one named.
const MAX_DEPTH: usize = 8;
/// Longest file, bytes.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Name of the cluster that `bootstrap-servers` declares.
pub(crate) const DEFAULT_CLUSTER: &str = "default";

/// Names of clusters that the configuration itself declares.
pub(crate) fn implicit_clusters(settings: Option<&Settings>) -> Vec<&'static str> {
    let named = settings.is_some_and(|settings| settings.default_cluster.is_some());
    if named { vec![DEFAULT_CLUSTER] } else { Vec::new() }
}

/// Every `*.yaml` and `*.yml` below `directory`, by path; names with a leading dot are left out (a mounted ConfigMap
/// has its files twice, once below `..data`).
pub(crate) fn read(directory: &Path) -> Result<Vec<(Arc<str>, String)>, String> {
    let mut paths = Vec::new();
    collect(directory, 0, &mut paths)?;
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name: Arc<str> = path.to_string_lossy().into();
            let size = std::fs::metadata(&path).map_err(|cause| format!("{name}: {cause}"))?.len();
            if size > MAX_FILE_BYTES {
                return Err(format!("{name}: longer than {MAX_FILE_BYTES} bytes"));
            }
            let text = std::fs::read_to_string(&path).map_err(|cause| format!("{name}: {cause}"))?;
            Ok((name, text))
        })
        .collect()
}

fn collect(directory: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |cause: std::io::Error| format!("{}: {cause}", directory.display());
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                collect(&path, depth + 1, paths)?;
            }
        } else if name.ends_with(".yaml") || name.ends_with(".yml") {
            paths.push(path);
        }
    }
    Ok(())
}
