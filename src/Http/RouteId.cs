namespace Orderwright.Http;

/// <summary>UUIDs in the path of a request.</summary>
public static class RouteId
{
    /// <summary>
    /// Reads a UUID in its canonical form. Exactly one part of the result is null; the refusal is a 400 with the code
    /// <c>invalid_id</c>.
    /// </summary>
    /// <param name="text">Value of the route parameter.</param>
    /// <param name="parameter">Name of the route parameter.</param>
    public static (Guid? Id, Answer? Refusal) Read(string? text, string parameter = "id") =>
        Guid.TryParseExact(text, "D", out var id)
            ? (id, null)
            : (null, Problem.Invalid(parameter, ErrorCodes.InvalidId, $"{parameter} must be a UUID."));
}
