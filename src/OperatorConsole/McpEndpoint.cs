using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Orderwright.Agents;
using Orderwright.Http;

namespace Orderwright.OperatorConsole;

/// <summary>
/// Endpoint <c>/mcp</c>: <see cref="OperatorTools"/> over streamable HTTP of the Model Context Protocol. Each POST stands
/// alone without a session, so any instance can reply. Agents need a key with the scope <c>operator:read</c>, whose rights apply.
/// </summary>
sealed class McpEndpoint(Apis apis, ILoggerFactory logs)
{
    const string Events = "text/event-stream";

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/mcp", HandleAsync).Require(Scopes.OperatorRead).ExcludeFromDescription();

    async Task HandleAsync(HttpContext http)
    {
        if (!http.Request.Headers.Accept.ToString().Contains(Events, StringComparison.OrdinalIgnoreCase))
        {
            await Problem.Of(StatusCodes.Status406NotAcceptable, "not_acceptable", $"Accept application/json and {Events}.")
                .ExecuteAsync(http);
            return;
        }
        var message = await StrictJson.ReadAsync(http, McpJsonUtilities.DefaultOptions.GetTypeInfo<JsonRpcMessage>());
        if (message.Refusal is { } refusal)
        {
            await refusal.ExecuteAsync(http);
            return;
        }
        var client = apis.Client(KeyOf(http.Request));
        var options = OperatorTools.Options(_ => Task.FromResult(client), readOnly: false);
        await using var transport = new StreamableHttpServerTransport(logs) { Stateless = true };
        await using var server = McpServer.Create(transport, options, logs);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        var serving = server.RunAsync(end.Token);
        http.Response.ContentType = Events;
        http.Response.Headers.CacheControl = "no-store";
        // A notification gets no reply.
        if (!await transport.HandlePostRequestAsync(message.Value!, http.Response.Body, http.RequestAborted))
        {
            http.Response.ContentType = null;
            http.Response.StatusCode = StatusCodes.Status202Accepted;
        }
        await end.CancelAsync();
        try
        {
            await serving;
        }
        catch (OperationCanceledException)
        {
        }
    }

    // Passed on unchecked: each API checks the key's scopes.
    static string? KeyOf(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        var header = request.Headers.Authorization.ToString() is { Length: > 0 } authorization
            ? authorization
            : request.Headers["X-Api-Key"].ToString();
        var key = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : header;
        return key.Length > 0 ? key : null;
    }
}
