"""The profiles in the two files of AWS's configuration, read as botocore reads them.

The steps are those of botocore.configloader
(https://github.com/boto/botocore/blob/develop/botocore/configloader.py), whose import takes ten
times as long as both files; tests/unit/s3/test_settings.py compares the answers.
"""

import configparser
import os
import shlex


def profile(name, config, shared):
    """Return ({setting: text or dict}, the same) of a profile in the files `config` and `shared`;
    {} where a file does not have it, or is not there.

    Raises ValueError where botocore would refuse a file.
    """
    profiles = {}
    for title, settings in sections(config).items():
        if title == "default":
            profiles[title] = settings
        elif title.startswith("profile"):
            words = words_of(title)
            if len(words) == 2:
                profiles[words[1]] = settings
    return profiles.get(name, {}), sections(shared).get(name, {})


def words_of(title):
    """Return the words of a section's title as a shell has them, none where a quote is open."""
    try:
        return shlex.split(title)
    except ValueError:
        return []


def sections(path):
    """Return {title: {setting: text, or dict of what is indented below it}} of a file.

    Raises ValueError where it is not one of AWS's form. One that may not be read is empty.
    """
    path = os.path.expanduser(os.path.expandvars(path))
    if not os.path.isfile(path):
        return {}
    parser = configparser.RawConfigParser()
    try:
        parser.read([path])     # in the locale's encoding, as botocore has it
    except configparser.Error as error:
        raise ValueError(str(error)) from None
    return {title: {name: nested(text) if text.startswith("\n") else text
                    for name, text in parser.items(title)}
            for title in parser.sections()}


def nested(text):
    """Return {name: text} of indented lines. Raises ValueError where one has no `=`."""
    found = {}
    for line in text.splitlines():
        if line.strip():
            name, value = line.strip().split("=", 1)
            found[name.strip()] = value.strip()
    return found
