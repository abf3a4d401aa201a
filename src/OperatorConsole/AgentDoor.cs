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
/// <c>/mcp</c>: <see cref="OperatorTools"/> over the protocol's streamable HTTP, each POST by itself: no session is kept,
/// so any instance answers. An agent comes with a key of the scope <c>operator</c>, and does what that key may do.
/// </summary>
sealed class AgentDoor(Apis apis, ILoggerFactory logs)
{
    const string Events = "text/event-stream";

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/mcp", AnswerAsync).Require(Scopes.Operator).ExcludeFromDescription();

    async Task AnswerAsync(HttpContext http)
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
        // Nothing is written where nothing was asked: a notification.
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

    // As it came: whether it may do what it asks is for each API to say.
    static string? KeyOf(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        var said = request.Headers.Authorization.ToString() is { Length: > 0 } authorization
            ? authorization
            : request.Headers["X-Api-Key"].ToString();
        var key = said.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? said[Scheme.Length..].Trim() : said;
        return key.Length > 0 ? key : null;
    }
}
