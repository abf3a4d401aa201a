using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;

namespace Orderwright.Http;

/// <summary>Page of a list: <c>{"items":[…],"nextCursor":"…"|null}</c>.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

public static class Pages
{
    /// <summary>
    /// Cuts a page out of rows read with a limit of one more: the extra row shows that the list continues.
    /// </summary>
    /// <param name="rows">In the list's order, at most <paramref name="limit"/> + 1.</param>
    /// <param name="limit">Page size.</param>
    /// <param name="positionOf">Position after a row, for the cursor.</param>
    public static Page<T> Of<T>(IReadOnlyList<T> rows, int limit, Func<T, string> positionOf) =>
        rows.Count <= limit
            ? new(rows, null)
            : new([.. rows.Take(limit)], Cursor.Write(positionOf(rows[limit - 1])));
}

/// <summary>
/// Keyset cursors: opaque to the caller, refused with a 400 unless made here. The checksum detects damage and guessing. The
/// checksum is no secret, because a cursor only marks a position in a list already filtered for the caller.
/// </summary>
public static class Cursor
{
    public const int MaxLength = 512;

    public static string Write(string position)
    {
        var text = Encoding.UTF8.GetBytes(position);
        return Base64Url.EncodeToString([.. Check(text), .. text]);
    }

    /// <summary>Reads the position; null for a foreign cursor.</summary>
    public static string? Read(string cursor)
    {
        if (cursor.Length > MaxLength || !Base64Url.IsValid(cursor)) return null;
        var bytes = Base64Url.DecodeFromChars(cursor);
        return bytes.Length > 4 && bytes.AsSpan(0, 4).SequenceEqual(Check(bytes.AsSpan(4)))
            ? Encoding.UTF8.GetString(bytes.AsSpan(4))
            : null;
    }

    static byte[] Check(ReadOnlySpan<byte> text) => System.Security.Cryptography.SHA256.HashData(text)[..4];
}

/// <summary>Query of a list request, read strictly: an unknown or malformed parameter is a 400 with the name.</summary>
public sealed class ListQuery
{
    public const int MaxLimit = 200;
    public const int DefaultLimit = 50;

    readonly Dictionary<string, string> values = [];
    readonly List<ProblemError> errors = [];

    /// <param name="http">Request.</param>
    /// <param name="known">Parameters other than <c>limit</c> and <c>cursor</c>.</param>
    public ListQuery(HttpContext http, params ReadOnlySpan<string> known)
    {
        var isList = http.GetEndpoint()?.Metadata.GetMetadata<ListFilters>() is not null;
        foreach (var (name, value) in http.Request.Query)
            if (!(isList && name is ("limit" or "cursor")) && !known.Contains(name))
                errors.Add(new(name, ErrorCodes.UnknownParameter, "Unknown parameter."));
            else if (value.Count > 1)
                errors.Add(new(name, ErrorCodes.RepeatedParameter, "Say it once."));
            else if (name != "cursor" && PlainText.HasForbidden(value.ToString()))
                errors.Add(new(name, ProblemCodes.InvalidText, PlainText.Rule));
            else
                // Compared with stored text, so in the same form.
                values[name] = PlainText.Of(value.ToString());
        if (values.TryGetValue("limit", out var limit))
            if (int.TryParse(limit, System.Globalization.NumberStyles.None, null, out var number)
                && number is >= 1 and <= MaxLimit)
                Limit = number;
            else
                errors.Add(new("limit", ErrorCodes.OutOfRange, $"A whole number from 1 to {MaxLimit}."));
        if (values.TryGetValue("cursor", out var cursor) && (Position = Cursor.Read(cursor)) is null)
            errors.Add(new("cursor", ErrorCodes.InvalidCursor, "Pass nextCursor of the previous page unchanged."));
    }

    public int Limit { get; } = DefaultLimit;

    /// <summary>Position to continue from, as given to <see cref="Cursor.Write"/>; null at the start.</summary>
    public string? Position { get; }

    /// <summary>The 400 response with all errors, or null; read after all parameters.</summary>
    public Answer? Refusal => errors.Count == 0 ? null : Problem.Invalid(errors);

    public string? Text(string name) => values.GetValueOrDefault(name);

    public string? OneOf(string name, IReadOnlyList<string> allowed)
    {
        if (!values.TryGetValue(name, out var value) || allowed.Contains(value)) return value;
        errors.Add(new(name, ErrorCodes.UnknownValue, $"One of: {string.Join(", ", allowed)}."));
        return null;
    }

    public DateTimeOffset? Time(string name)
    {
        if (!values.TryGetValue(name, out var value)) return null;
        if (Rfc3339.TryRead(value, out var time)) return time;
        errors.Add(new(name, ErrorCodes.InvalidTime, "An RFC 3339 time, such as 2026-01-31T09:30:00.123Z."));
        return null;
    }

    public Guid? Id(string name)
    {
        if (!values.TryGetValue(name, out var value)) return null;
        if (Guid.TryParseExact(value, "D", out var id)) return id;
        errors.Add(new(name, ErrorCodes.InvalidId, "A UUID."));
        return null;
    }

    public long? Whole(string name)
    {
        if (!values.TryGetValue(name, out var value)) return null;
        if (long.TryParse(value, System.Globalization.NumberStyles.AllowLeadingSign, null, out var number)) return number;
        errors.Add(new(name, ErrorCodes.InvalidNumber, "A whole number."));
        return null;
    }
}
