using System.Text;

namespace Orderwright.Cli.Import;

/// <summary>A record of a CSV file: one line, or several where quoted fields contain line breaks.</summary>
/// <param name="Line">Physical line on which the record begins, from 1.</param>
/// <param name="Fields">Fields without their quotes; of a malformed record, those that could be told apart.</param>
/// <param name="Why">Fault of a malformed record; null for a sound one.</param>
sealed record CsvRecord(int Line, string[] Fields, string? Why = null)
{
    /// <summary>True for a line without any text.</summary>
    public bool IsBlank => Why is null && Fields.All(string.IsNullOrWhiteSpace);
}

/// <summary>A character that the file's encoding cannot have produced.</summary>
sealed class InvalidTextException(int line) : Exception
{
    public int Line => line;
}

/// <summary>
/// Reads records as RFC 4180 defines them, strictly and within limits. A fault belongs to its record, and reading continues with
/// the next one. A record with a fault in a quoted field extends to the end of the last quoted part, so that a quoted line
/// break never becomes the start of a record.
/// </summary>
/// <param name="text">Text in which <see cref="Invalid"/> stands for every byte that is not a character.</param>
/// <param name="delimiter">Separator of fields.</param>
/// <param name="quotes">False to treat quotes as separators, which finds the words of a part that cannot be read.</param>
sealed class CsvReader(TextReader text, char delimiter, bool quotes = true)
{
    /// <summary>Stands for invalid bytes: no character has this code point.</summary>
    public const char Invalid = '\uFFFF';

    public const int MaxFieldLength = 10_000;
    public const int MaxRecordLength = 100_000;
    public const int MaxFields = 1_000;

    const char Quote = '"';
    const int End = -1;

    readonly char[] buffer = new char[16_384];
    readonly List<string> fields = [];
    readonly StringBuilder field = new();
    int at, filled;
    int line = 1;
    int recordLength;
    string? fault;

    /// <summary>Line of the quote that is never closed; null while the text is sound.</summary>
    public int? UnclosedAt { get; private set; }

    /// <summary>Reads the next record; null at the end.</summary>
    public CsvRecord? Read()
    {
        if (Peek() == End) return null;
        var start = line;
        fields.Clear();
        (recordLength, fault) = (0, null);
        while (ReadField())
        {
        }
        return new CsvRecord(start, [.. fields], fault);
    }

    // True if another field of the record follows.
    bool ReadField()
    {
        field.Clear();
        var isQuoted = quotes && Peek() == Quote;
        if (isQuoted) ReadQuoted();
        while (true)
        {
            var next = Next();
            if (next is End or '\n' || next == delimiter || (!quotes && next == Quote))
            {
                EndField();
                return next is not (End or '\n');
            }
            if (isQuoted)
            {
                fault ??= $"text after the closing quote of field {fields.Count + 1}";
                if (next == Quote) ReadQuotedRest(line);
            }
            else
            {
                if (next == Quote) fault ??= $"quote within field {fields.Count + 1}, which does not begin with a quote";
                Append((char)next);
            }
        }
    }

    void ReadQuoted()
    {
        var opened = line;
        Next();
        ReadQuotedRest(opened);
    }

    void ReadQuotedRest(int opened)
    {
        while (true)
        {
            var next = Next();
            if (next == End)
            {
                UnclosedAt = opened;
                fault = $"the quote that opens in line {opened} is never closed";
                return;
            }
            if (next != Quote)
                Append((char)next);
            else if (Peek() == Quote)
                Append((char)Next());
            else
                return;
        }
    }

    void Append(char c)
    {
        if (++recordLength > MaxRecordLength) fault ??= $"the record exceeds {MaxRecordLength} characters";
        if (field.Length < MaxFieldLength) field.Append(c);
        else fault ??= $"field {fields.Count + 1} exceeds {MaxFieldLength} characters";
    }

    // A line of more fields than the limit keeps those within it.
    void EndField()
    {
        if (fields.Count == MaxFields) fault ??= $"more than {MaxFields} fields";
        else if (recordLength <= MaxRecordLength) fields.Add(field.ToString());
    }

    // CR LF and a lone CR count as one line break, as in every editor.
    int Next()
    {
        var next = Peek();
        if (next == End) return End;
        at++;
        if (next == '\r')
        {
            if (Peek() == '\n') at++;
            next = '\n';
        }
        if (next == Invalid) throw new InvalidTextException(line);
        if (next == '\n') line++;
        return next;
    }

    int Peek()
    {
        if (at < filled) return buffer[at];
        (at, filled) = (0, text.Read(buffer));
        return filled == 0 ? End : buffer[0];
    }
}
