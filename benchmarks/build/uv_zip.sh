# The script that many teams have: sh uv_zip.sh UV PYTHON
# In each folder of functions/, requirements are installed beside the source, and zipped.
set -eu
mkdir -p zips
for folder in functions/*; do
  name=${folder#functions/}
  rm -rf "build/$name" "zips/$name.zip"
  mkdir -p "build/$name"
  if [ -s "$folder/requirements.txt" ]; then
    "$1" pip install --quiet --target "build/$name" --requirement "$folder/requirements.txt" \
      --python-version "$2" --python-platform x86_64-manylinux2014 --only-binary :all: --no-deps
  fi
  cp -r "$folder/." "build/$name"
  (cd "build/$name" && zip --quiet --recurse-paths "../../zips/$name.zip" .)
done
