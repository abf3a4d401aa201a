using Microsoft.AspNetCore.Builder;

namespace Orderwright.Http;

// Facts that a route states for the description of the API, beside the framework's own (name, summary, body, responses). Types,
// formats and limits of well-known names are in one table of the host, and those of bodies at the records.

/// <summary>Filters of a list; <c>limit</c> and <c>cursor</c> are implied.</summary>
public sealed record ListFilters(IReadOnlyList<string> Names);

/// <summary>Query parameter, or the values of a filter.</summary>
/// <param name="Name">Name in the query.</param>
/// <param name="Values">Allowed values; empty for those of the name's type.</param>
public sealed record QueryParameter(string Name, IReadOnlyList<string> Values);

/// <summary>Header that the operation reads.</summary>
/// <param name="Name">Name of the header.</param>
/// <param name="Description">Meaning for callers.</param>
/// <param name="Pattern">Regular expression of the values; null for any.</param>
public sealed record HeaderParameter(string Name, string Description, string? Pattern = null);

/// <summary>The response carries the version as an ETag.</summary>
/// <param name="IsConditional">
/// A read honours <c>If-None-Match</c>, since equal versions have equal bodies; a change honours <c>If-Match</c> and
/// <c>If-None-Match</c>.
/// </param>
public sealed record Versioned(bool IsConditional);

public static class DescriptionExtensions
{
    public static TBuilder Lists<TBuilder>(this TBuilder builder, params string[] filters)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ListFilters(filters));

    public static TBuilder Query<TBuilder>(this TBuilder builder, string name, params IReadOnlyList<string> values)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new QueryParameter(name, values));

    public static TBuilder Header<TBuilder>(
        this TBuilder builder, string name, string description, string? pattern = null)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new HeaderParameter(name, description, pattern));

    /// <summary>States that the response carries the version.</summary>
    public static TBuilder HasVersion<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Versioned(IsConditional: false));

    /// <summary>States that the operation honours preconditions on the version.</summary>
    public static TBuilder Conditional<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Versioned(IsConditional: true));
}
