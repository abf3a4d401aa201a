using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using CsvHelper;
using CsvHelper.Configuration;

namespace Orderwright.Cli.Import;

/// <summary>
/// Reads a CSV file in UTF-8 with a heading, optionally gzipped. Every line is a record, so an unclosed quote spoils a single
/// line, not the rest of the file. Fields therefore cannot contain line breaks.
/// </summary>
static class CsvFile
{
    const int MaxLineLength = 10_000;
    static readonly CsvConfiguration Quoted = new(CultureInfo.InvariantCulture) { HasHeaderRecord = false, BufferSize = 512 };

    /// <param name="path">Path of the file. Gzip is detected by the first two bytes, not by the name.</param>
    /// <param name="profile">Profile that reads the columns.</param>
    /// <param name="cancel">Stops reading.</param>
    public static async Task<SourceFile> ReadAsync(string path, IImportProfile profile, CancellationToken cancel)
    {
        await using var file = File.OpenRead(path);
        var packed = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        await using var content = packed ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var reader = new StreamReader(content);

        var heading = await reader.ReadLineAsync(cancel) ?? throw new ToolException(Exit.Usage, $"{path} is empty.");
        var columns = Columns(path, heading, profile);
        var lines = new List<SourceLine>();
        var bad = new List<BadLine>();
        var texts = new Dictionary<string, string>();
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes(heading));
        for (var number = 2; await reader.ReadLineAsync(cancel) is { } line; number++)
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(line + "\n"));
            if (line.Length == 0) continue;
            var (fields, why) = Split(line);
            if (fields is { Length: var count } && count != columns.Count)
                (fields, why) = (null, $"{count} fields instead of {columns.Count} as in the heading");
            SourceLine? read = null;
            if (fields is not null) read = profile.Read(number, new Fields(fields, columns.Index, texts), out why);
            if (read is not null) lines.Add(read);
            else bad.Add(new BadLine(number, why ?? "unreadable"));
        }
        return new SourceFile(Convert.ToHexStringLower(hash.GetHashAndReset())[..12], lines, bad);
    }

    static (int Count, Dictionary<string, int> Index) Columns(string path, string heading, IImportProfile profile)
    {
        var names = Split(heading.TrimStart('\uFEFF')).Fields
            ?? throw new ToolException(Exit.Usage, $"The heading of {path} is unreadable: {heading}");
        var index = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < names.Length; i++)
            if (!index.TryAdd(names[i].Trim(), i))
                throw new ToolException(Exit.Usage, $"{path} contains the column {names[i]} twice.");
        var missing = profile.RequiredColumns.Where(name => !index.ContainsKey(name)).ToList();
        return missing.Count == 0
            ? (names.Length, index)
            : throw new ToolException(
                Exit.Usage, $"{path} lacks the column {string.Join(", ", missing)}. Its heading is: {heading}");
    }

    static (string[]? Fields, string? Why) Split(string line)
    {
        if (line.Length > MaxLineLength) return (null, $"longer than {MaxLineLength} characters");
        if (!line.Contains('"', StringComparison.Ordinal)) return (line.Split(','), null);
        if (line.Count(c => c == '"') % 2 != 0) return (null, "unclosed quote");
        try
        {
            using var parser = new CsvParser(new StringReader(line), Quoted);
            return parser.Read() ? (parser.Record, null) : (null, "cannot be split into fields");
        }
        catch (BadDataException)
        {
            return (null, "quote within a field");
        }
    }
}

/// <summary>Fields of one line by column name. Equal texts share one string, as files repeat them often.</summary>
readonly struct Fields(string[] fields, Dictionary<string, int> index, Dictionary<string, string> texts)
{
    /// <summary>The trimmed field; empty for a missing column.</summary>
    public string this[string column]
    {
        get
        {
            if (!index.TryGetValue(column, out var at)) return "";
            var text = fields[at].Trim();
            if (texts.TryGetValue(text, out var known)) return known;
            texts.Add(text, text);
            return text;
        }
    }
}
