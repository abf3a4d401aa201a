using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>A page of a list: <c>{"items":[…],"nextCursor":"…"|null}</c>.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

public static class Pages
{
    /// <summary>Cuts a page out of rows that were read with one more than the limit: that one says there are more.</summary>
    /// <param name="rows">In the list's order, at most <paramref name="limit"/> + 1.</param>
    /// <param name="limit">Of the page.</param>
    /// <param name="positionOf">Where to go on after a row.</param>
    public static Page<T> Of<T>(IReadOnlyList<T> rows, int limit, Func<T, string> positionOf) =>
        rows.Count <= limit
            ? new(rows, null)
            : new([.. rows.Take(limit)], Cursor.Write(positionOf(rows[limit - 1])));
}

/// <summary>
/// Keyset cursors: opaque to the caller, refused with a 400 when they were not made here. The check sum finds damage
/// and guessing; it is no secret, as a cursor only says where to go on in a list that is filtered for the caller anyway.
/// </summary>
public static class Cursor
{
    public static string Write(string position)
    {
        var text = Encoding.UTF8.GetBytes(position);
        return Base64Url.EncodeToString([.. Check(text), .. text]);
    }

    /// <summary>The position, or null when the cursor is not one of ours.</summary>
    public static string? Read(string cursor)
    {
        if (cursor.Length > 512 || !Base64Url.IsValid(cursor)) return null;
        var bytes = Base64Url.DecodeFromChars(cursor);
        return bytes.Length > 4 && bytes.AsSpan(0, 4).SequenceEqual(Check(bytes.AsSpan(4)))
            ? Encoding.UTF8.GetString(bytes.AsSpan(4))
            : null;
    }

    static byte[] Check(ReadOnlySpan<byte> text) => System.Security.Cryptography.SHA256.HashData(text)[..4];
}

/// <summary>Metadata of a list, for the API's description: what it takes besides <c>limit</c> and <c>cursor</c>.</summary>
public sealed record ListFilters(IReadOnlyList<string> Names);

public static class ListFilterExtensions
{
    public static TBuilder Lists<TBuilder>(this TBuilder builder, params string[] filters)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ListFilters(filters));
}

/// <summary>The query of a list call, read strictly: what is not known, or not well-formed, is a 400 naming it.</summary>
public sealed class ListQuery
{
    public const int MaxLimit = 200;
    public const int DefaultLimit = 50;

    readonly Dictionary<string, string> values = [];
    readonly List<ProblemError> errors = [];

    /// <param name="http">The request.</param>
    /// <param name="known">Parameters besides <c>limit</c> and <c>cursor</c>.</param>
    public ListQuery(HttpContext http, params ReadOnlySpan<string> known)
    {
        foreach (var (name, value) in http.Request.Query)
            if (name is not ("limit" or "cursor") && !known.Contains(name))
                errors.Add(new(name, "unknown_parameter", "This list has no such parameter."));
            else if (value.Count > 1)
                errors.Add(new(name, "repeated_parameter", "Say it once."));
            else
                values[name] = value.ToString();
        if (values.TryGetValue("limit", out var limit))
            if (int.TryParse(limit, System.Globalization.NumberStyles.None, null, out var number)
                && number is >= 1 and <= MaxLimit)
                Limit = number;
            else
                errors.Add(new("limit", "out_of_range", $"A whole number from 1 to {MaxLimit}."));
        if (values.TryGetValue("cursor", out var cursor) && (Position = Cursor.Read(cursor)) is null)
            errors.Add(new("cursor", "invalid_cursor", "Use nextCursor of the previous page as it was given."));
    }

    public int Limit { get; } = DefaultLimit;

    /// <summary>Where to go on, as it was given to <see cref="Cursor.Write"/>; null at the start.</summary>
    public string? Position { get; }

    /// <summary>The 400, if anything was wrong; ask after reading all parameters.</summary>
    public Answer? Refusal => errors.Count == 0 ? null : Problem.Invalid(errors);

    public string? Text(string name) => values.GetValueOrDefault(name);

    public string? OneOf(string name, IReadOnlyList<string> allowed)
    {
        if (!values.TryGetValue(name, out var value) || allowed.Contains(value)) return value;
        errors.Add(new(name, "unknown_value", $"One of: {string.Join(", ", allowed)}."));
        return null;
    }

    public DateTimeOffset? Time(string name)
    {
        if (!values.TryGetValue(name, out var value)) return null;
        if (DateTimeOffset.TryParse(value, null, System.Globalization.DateTimeStyles.AssumeUniversal, out var time))
            return time.ToUniversalTime();
        errors.Add(new(name, "invalid_time", "An RFC 3339 time, such as 2026-01-31T09:30:00.123Z."));
        return null;
    }

    public Guid? Id(string name)
    {
        if (!values.TryGetValue(name, out var value)) return null;
        if (Guid.TryParseExact(value, "D", out var id)) return id;
        errors.Add(new(name, "invalid_id", "A UUID."));
        return null;
    }

    public long? Whole(string name)
    {
        if (!values.TryGetValue(name, out var value)) return null;
        if (long.TryParse(value, System.Globalization.NumberStyles.AllowLeadingSign, null, out var number)) return number;
        errors.Add(new(name, "invalid_number", "A whole number."));
        return null;
    }
}
