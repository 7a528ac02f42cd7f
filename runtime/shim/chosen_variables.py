"""A program's environment to those of its variables that may change its numbers, without anything secret."""

# A node may have Python 3.8.

from __future__ import annotations

from typing import Collection, Dict, Mapping

# Names, and beginnings of names, with what they change.
NAMES = (
    "PYTHONHASHSEED",  # the order of sets of texts
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE",  # which modules are found
    "PYTHONOPTIMIZE",  # whether asserts are run
    "LD_LIBRARY_PATH", "LD_PRELOAD",  # which libraries are loaded
    "LOADEDMODULES", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "SPACK_ENV", "GUIX_ENVIRONMENT",  # where from
    "LANG", "LANGUAGE", "TZ",  # how texts are sorted and numbers and times read
    "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS",  # threads change the order of sums
    "CUDA_HOME", "CUDA_PATH", "CUDA_LAUNCH_BLOCKING", "CUDA_DEVICE_ORDER", "CUDA_DEVICE_MAX_CONNECTIONS",
    "CUDA_MODULE_LOADING", "CUDNN_PATH", "CUBLAS_WORKSPACE_CONFIG", "CUBLASLT_WORKSPACE_SIZE",  # deterministic or not
    "NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",  # how exactly a GPU multiplies
    "HSA_OVERRIDE_GFX_VERSION", "MIOPEN_FIND_MODE", "MIOPEN_FIND_ENFORCE",  # the same of AMD's
    "JULIA_NUM_THREADS", "JULIA_DEPOT_PATH", "JULIA_PROJECT", "JULIA_CPU_TARGET", "R_LIBS", "R_LIBS_USER", "R_HOME",
    "MALLOC_ARENA_MAX", "GOMAXPROCS", "RAYON_NUM_THREADS", "TBB_NUM_THREADS",
)  # fmt: skip
BEGINNINGS = (
    "LC_",  # the same as LANG
    "OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "BLAS_",  # threads and kernels of linear algebra
    "NCCL_", "RCCL_", "UCX_", "OMPI_MCA_", "I_MPI_", "MPICH_", "FI_",  # the order in which nodes add up
    # TF_CLI_…, TF_VAR_… and others are Terraform's.
    "TF_AUTOTUNE", "TF_CUDNN", "TF_DETERMINISTIC", "TF_DISABLE", "TF_ENABLE", "TF_FORCE", "TF_GPU", "TF_NUM",
    "TF_ONEDNN", "TF_USE", "TF_XLA", "XLA_", "JAX_", "PYTORCH_", "TORCH_", "ATEN_", "ORT_",  # speed for exactness
)  # fmt: skip
# Of the launcher of a job: other in each job, and of no run's making.
LAUNCHERS = ("OMPI_MCA_orte", "OMPI_MCA_ess", "OMPI_MCA_pmix", "OMPI_MCA_initial", "OMPI_MCA_shmem", "OMPI_MCA_plm")
# Terraform's, which begin like those of TensorFlow, and hold what is nobody's business.
OTHERS = (
    "TF_VAR_",
    "TF_CLI_",
    "TF_TOKEN_",
    "TF_LOG",
    "TF_DATA_DIR",
    "TF_PLUGIN_",
    "TF_WORKSPACE",
    "TF_INPUT",
    "TF_IN_",
)
LAUNCHED = ("_RANK", "_PID", "_HOSTNAME", "_ADDR", "_PORT")
# What looks secret: a word in a name, the end of a name, the beginning of a long word in a value.
SECRET_WORDS = ("TOKEN", "SECRET", "PASSW", "PASSPHRASE", "CREDENTIAL", "PRIVATE", "APIKEY", "API_KEY", "ACCESS_KEY")
SECRET_ENDS = ("_KEY", "_AUTH", "_PWD", "_PAT")
SECRET_BEGINNINGS = (
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-",  # GitHub, GitLab
    "hf_", "sk-", "xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-",  # Hugging Face, OpenAI, Slack
    "AKIA", "ASIA", "AIza", "npm_", "pypi-", "dckr_pat_", "eyJ",  # Amazon, Google, registries, signed web tokens
)  # fmt: skip
SHORTEST = 18  # characters of such a word
HEX = frozenset("0123456789abcdefABCDEF")
LONGEST = 4096  # characters of a value


def chosen(environ: Mapping[str, str], secrets: Collection[str]) -> Dict[str, str]:
    """Give the variables that are recorded, sorted. *secrets* are names that never are; nor is a value in which one of
    theirs stands."""
    values = [value for value in map(environ.get, secrets) if value]
    found = {}
    for name in sorted(environ):
        if name in NAMES or name.startswith(BEGINNINGS):
            value = environ[name]
            if name in secrets or name.startswith((*LAUNCHERS, *OTHERS)) or name.endswith(LAUNCHED):
                continue
            if not is_secret(name, value) and not any(hidden in value for hidden in values):
                found[name] = value[:LONGEST]
    return found


def is_secret(name: str, value: str) -> bool:
    """Tell whether a variable looks as if it were for nobody's eyes; one left out in doubt is no loss."""
    upper = name.upper()
    if any(word in upper for word in SECRET_WORDS) or upper.endswith(SECRET_ENDS):
        return True
    if "-----BEGIN" in value or _has_password(value) or (len(value) >= 32 and HEX.issuperset(value)):
        return True
    words = "".join(char if char.isalnum() or char in "_.-" else " " for char in value).split()
    return any(len(word) >= SHORTEST and word.startswith(SECRET_BEGINNINGS) for word in words)


def _has_password(value: str) -> bool:
    """Tell whether there is an address with a password in it: `https://ada:word@host`."""
    return any("@" in rest.split("/")[0] for rest in value.split("://")[1:])
