#!/usr/bin/env bash
# Photographs and artwork from Debian packages, unpacked into a folder: training/wallpapers.sh DIR (needs apt and dpkg)
set -euo pipefail
into=$(realpath -m "${1:?a folder to fill}")
mkdir -p "$into/debs"
cd "$into/debs"
apt-get download mate-backgrounds gnome-backgrounds plasma-workspace-wallpapers ukui-wallpapers lomiri-wallpapers \
    lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 sway-backgrounds desktop-base debian-edu-artwork-homeworld \
    debian-edu-artwork-softwaves debian-edu-artwork-emerald debian-edu-artwork-buster openclipart-png
for package in *.deb; do
    name=${package%%_*}
    [ "$name" = openclipart-png ] && name=openclipart
    mkdir -p "$into/$name"
    dpkg-deb -x "$package" "$into/$name"
done
rm -r "$into/debs"
