"""The forms of an import: the file, and what each of its columns holds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.importing import columns, reading
from clients.importing.reading import Sheet

SAMPLES = 5
_LOOKED_AT = 200
_SHOWN_CHARS = 40


class UploadForm(forms.Form):
    """One file."""

    file = forms.FileField(
        label=gettext_lazy("The list"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,.vcf,text/csv,text/vcard"}),
        error_messages={"required": gettext_lazy("Choose a file."), "empty": gettext_lazy("The file is empty.")},
    )

    def __init__(self, *args: Any, is_too_large: bool = False, **kwargs: Any) -> None:
        """Make the form. `is_too_large`: the request was so long that its file was not even kept."""
        super().__init__(*args, **kwargs)
        if is_too_large:
            self.fields["file"].error_messages["required"] = _too_large()

    def clean_file(self) -> Any:
        """Return the uploaded file, which may be read into memory."""
        file = self.cleaned_data["file"]
        if file.size > reading.MAX_BYTES:
            raise forms.ValidationError(_too_large())
        return file


def _too_large() -> str:
    return _("The file is larger than 5 MB. Split it into smaller files.")


class ColumnsForm(forms.Form):
    """What each column holds, as recognised and to be corrected. Columns in which nobody filled anything are not asked for."""

    def __init__(self, data: Mapping[str, Any] | None, sheet: Sheet, chosen: Mapping[str, str] | None) -> None:
        """Make a field for each filled column of the sheet, standing at what is `chosen`, else at what is recognised."""
        super().__init__(data)
        self.samples = {
            index: some for index in range(len(sheet.header)) if (some := _samples(sheet, index)) or sheet.header[index]
        }
        recognised = {column.index: columns.choice_of(column) for column in columns.recognise(sheet.header)}
        self.empty_count = 0
        for index, title in enumerate(sheet.header):
            if not _samples(sheet, index):
                self.empty_count += 1
                continue
            first = (chosen or {}).get(str(index), recognised.get(index, ""))
            name = title or _("Column %(number)s") % {"number": index + 1}
            self.fields[f"c{index}"] = forms.ChoiceField(
                choices=list(columns.CHOICES.items()), required=False, initial=first, label=name,
                widget=forms.Select(attrs={"aria-label": _("What is in “%(name)s”") % {"name": name}}),
            )  # fmt: skip

    def rows(self) -> Iterable[tuple[forms.BoundField, Sequence[str]]]:
        """Yield each field with what the first rows hold."""
        for field in self:
            yield field, self.samples[int(field.name[1:])]

    def chosen(self) -> dict[int, str]:
        """Return what each column holds, by its number."""
        return {int(name[1:]): value for name, value in self.cleaned_data.items()}


def _samples(sheet: Sheet, index: int) -> list[str]:
    cells = (line.cells[index].strip() for line in sheet.lines[:_LOOKED_AT] if index < len(line.cells))
    found = [cell if len(cell) <= _SHOWN_CHARS else f"{cell[:_SHOWN_CHARS]}…" for cell in cells if cell]
    if not found:
        later = (line.cells[index].strip() for line in sheet.lines[_LOOKED_AT:] if index < len(line.cells))
        found = [cell[:_SHOWN_CHARS] for cell in later if cell]
    return found[:SAMPLES]
