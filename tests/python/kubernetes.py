"""Puts the manifests of a Kustomize folder together, validates them, and prints them as JSON.

usage: kubernetes.py FOLDER

It knows as much of Kustomize as deploy/kubernetes uses; anything else is an error. Kubernetes' own kinds are validated
against its schemas, in which no unknown member is allowed. Custom kinds are printed unvalidated.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

Resource = dict[str, Any]

FIELDS = {
    "apiVersion",
    "kind",
    "namespace",
    "resources",
    "components",
    "configMapGenerator",
    "labels",
    "images",
    "patches",
}
# The oldest release that is still supported, and the newest that the schemas know.
RELEASES = ("1.34", "1.37")


def build(folder: Path, given: list[Resource]) -> list[Resource]:
    """The resources of `folder`; a component changes those that are `given` too."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    unknown = kustomization.keys() - FIELDS
    if unknown:
        sys.exit(f"{folder}/kustomization.yaml has {unknown}, which this script does not know")
    resources = list(given)
    for name in kustomization.get("resources", []):
        path = folder / name
        resources += build(path, []) if path.is_dir() else read(path)
    for generated in kustomization.get("configMapGenerator", []):
        resources.append(config_map(folder, generated))
    for name in kustomization.get("components", []):
        resources = build(folder / name, resources)
    for change in kustomization.get("patches", []):
        patch(folder, resources, change)
    for resource in resources:
        transform(resource, kustomization)
    return resources


def read(path: Path) -> list[Resource]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def config_map(folder: Path, generated: dict[str, Any]) -> Resource:
    if generated.keys() != {"name", "files"}:
        sys.exit(f"{folder}: a generated ConfigMap has name and files")
    data = {name: (folder / name).read_text() for name in generated["files"]}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": generated["name"]},
        "data": data,
    }


def patch(folder: Path, resources: list[Resource], change: dict[str, Any]) -> None:
    target = change["target"]
    if target.keys() != {"kind", "name"} or change.keys() != {"target", "patch"}:
        sys.exit(f"{folder}: a patch has a target, with kind and name, and operations")
    found = [
        resource
        for resource in resources
        if resource["kind"] == target["kind"]
        and re.fullmatch(target["name"], resource["metadata"]["name"])
    ]
    if not found:
        sys.exit(f"{folder}: no resource is {target}")
    for resource in found:
        for operation in yaml.safe_load(change["patch"]):
            operate(resource, operation)


def operate(resource: Resource, operation: dict[str, Any]) -> None:
    """One operation of RFC 6902."""
    *parents, last = operation["path"].strip("/").split("/")
    place: Any = resource
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    match operation["op"], place:
        case "add", list() if last == "-":
            place.append(operation["value"])
        case "add", dict():
            place[last] = operation["value"]
        case "remove", dict():
            del place[last]
        case _:
            sys.exit(f"this script cannot do {operation}")


def transform(resource: Resource, kustomization: dict[str, Any]) -> None:
    template = resource.get("spec", {}).get("template")
    for labels in kustomization.get("labels", []):
        places = [resource] + ([template] if template and labels.get("includeTemplates") else [])
        for place in places:
            place["metadata"].setdefault("labels", {}).update(labels["pairs"])
    if "namespace" in kustomization:
        resource["metadata"]["namespace"] = kustomization["namespace"]
    for container in template["spec"]["containers"] if template else []:
        for image in kustomization.get("images", []):
            if container["image"].split(":")[0] == image["name"]:
                container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"


def main() -> None:
    resources = build(Path(sys.argv[1]), [])
    mistakes = 0
    for resource in resources:
        if resource["apiVersion"].startswith("keda.sh/"):
            continue
        for release in RELEASES:
            try:
                kubernetes_validate.validate(resource, release, strict=True)
            except (
                kubernetes_validate.ValidationError,
                kubernetes_validate.SchemaNotFoundError,
                kubernetes_validate.InvalidSchemaError,
            ) as problem:
                mistakes += 1
                name = f"{resource['kind']} {resource['metadata']['name']}"
                print(f"{name}, Kubernetes {release}: {problem}", file=sys.stderr)
    if mistakes:
        sys.exit(1)
    json.dump(resources, sys.stdout)


main()
