using System.CommandLine;
using System.Globalization;
using Orderwright.Hosting.Keys;
using Orderwright.Http;
using Orderwright.Runtime;

namespace Orderwright.Cli;

/// <summary><c>keys</c>: manages the API keys in the services' key file. A key is shown once, when created.</summary>
static class KeysCommand
{
    static string AllScopes => string.Join(", ", Scopes.All.Order(StringComparer.Ordinal));

    static string AllRoles => string.Join(", ", Roles.All);

    public static Command Create() => new("keys", "Manage API keys and their permissions.") { Add(), List(), Revoke() };

    static Command Add()
    {
        var name = new Option<string>("--name") { Description = "Name of the key's holder, for the audit.", Required = true };
        var scopes = new Option<string?>("--scopes") { Description = $"Permissions, comma-separated: {AllScopes}." };
        var role = new Option<string?>("--role")
        {
            Description = $"Roles in place of permissions, or in addition to them, comma-separated: {AllRoles}.",
        };
        var expires = new Option<string?>("--expires")
        {
            Description = "Lifetime, such as 90d. Default: unlimited.",
        };
        var channels = new Option<string>("--channels", "--merchant")
        {
            Description = "Channels that the key's holder reaches, comma-separated, new orders in the first; * for all.",
            DefaultValueFactory = _ => ChannelSet.Main,
        };
        var discount = new Option<int?>("--max-discount")
        {
            Description = "Highest discount of an order in percent, for a key without orders:price. Default: no discounts.",
        };
        var file = FileOption();
        var json = CommonOptions.Json();
        var command = new Command("add", "Create a key and show it once.")
        {
            name, scopes, role, expires, channels, discount, file, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(discount) is < 0 or > 100) result.AddError("--max-discount is a percentage from 0 to 100.");
            if (result.GetValue(scopes) is null && result.GetValue(role) is null)
                result.AddError("Name the permissions of the key with --scopes, or a role with --role.");
        });
        command.SetAction(parsed =>
        {
            var (granted, roles) = (Words(parsed.GetValue(scopes)), Words(parsed.GetValue(role)));
            if (!granted.All(Scopes.All.Contains) || (granted.Length == 0 && roles.Length == 0))
                throw new ToolException(Exit.Usage, $"--scopes is {parsed.GetValue(scopes)}. Allowed: {AllScopes}.");
            if (!roles.All(Roles.Table.ContainsKey))
                throw new ToolException(Exit.Usage, $"--role is {parsed.GetValue(role)}. Allowed: {AllRoles}.");
            var reached = Words(parsed.GetValue(channels));
            if (reached.Length == 0 || !reached.All(channel => channel == ChannelSet.Any || ChannelSet.IsName(channel)))
                throw new ToolException(
                    Exit.Usage, $"--channels is {parsed.GetValue(channels)}. Allowed: names such as main,eu, or * for all.");
            TimeSpan? after = null;
            if (parsed.GetValue(expires) is { } text && (after = Settings.Duration(text)) is null)
                throw new ToolException(Exit.Usage, $"--expires is {text}. Allowed: a duration such as 12h or 90d.");
            var path = PathOf(parsed.GetValue(file));
            var token = Change(path, () => KeyFile.Add(
                path, parsed.GetValue(name)!, granted, DateTimeOffset.UtcNow, after, reached,
                parsed.GetValue(discount), roles));
            var output = new Output(parsed.GetValue(json));
            if (output.IsJson)
                Output.Json(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("key", token);
                    writer.WriteString("file", Path.GetFullPath(path));
                    writer.WriteEndObject();
                });
            output.Line(token);
            output.Line(
                $"Shown only once. Services with ORDERWRIGHT_KEYS={Path.GetFullPath(path)} accept this key within a second.");
            return Exit.Ok;
        });
        return command;
    }

    static Command List()
    {
        var file = FileOption();
        var json = CommonOptions.Json();
        var command = new Command("list", "List the keys, without their secrets, which are not stored.") { file, json };
        command.SetAction(parsed =>
        {
            var output = new Output(parsed.GetValue(json));
            var keys = Read(PathOf(parsed.GetValue(file)));
            if (output.IsJson)
                Output.Json(writer =>
                {
                    writer.WriteStartArray();
                    foreach (var key in keys)
                    {
                        writer.WriteStartObject();
                        writer.WriteString("prefix", key.Prefix);
                        writer.WriteString("name", key.Name);
                        writer.WriteStartArray("channels");
                        foreach (var channel in key.Channels!) writer.WriteStringValue(channel);
                        writer.WriteEndArray();
                        writer.WriteStartArray("scopes");
                        foreach (var scope in key.AllScopes) writer.WriteStringValue(scope);
                        writer.WriteEndArray();
                        writer.WriteStartArray("roles");
                        foreach (var role in key.Roles ?? []) writer.WriteStringValue(role);
                        writer.WriteEndArray();
                        writer.WriteString("state", StateOf(key));
                        writer.WriteString("createdAt", key.CreatedAt);
                        if (key.MaxDiscount is { } percent) writer.WriteNumber("maxDiscount", percent);
                        if (key.ExpiresAt is { } at) writer.WriteString("expiresAt", at);
                        writer.WriteEndObject();
                    }
                    writer.WriteEndArray();
                });
            output.Table(
                ["prefix", "name", "channels", "roles, scopes", "state", "created", "expires"],
                keys.Select(key => new[]
                {
                    key.Prefix, key.Name, string.Join(',', key.Channels!),
                    string.Join(',', (key.Roles ?? []).Concat(key.Scopes)), StateOf(key), Day(key.CreatedAt),
                    key.ExpiresAt is { } at ? Day(at) : "never",
                }));
            return Exit.Ok;
        });
        return command;
    }

    static Command Revoke()
    {
        var prefix = new Argument<string>("prefix") { Description = "Prefix of the key, 8 digits after ow_ (see keys list)." };
        var file = FileOption();
        var command = new Command(
            "revoke", "Revoke a key; running services reject it, and end its live streams, within seconds.")
        {
            prefix, file,
        };
        command.SetAction(parsed =>
        {
            var path = PathOf(parsed.GetValue(file));
            _ = Read(path);
            if (!Change(path, () => KeyFile.Revoke(path, parsed.GetValue(prefix)!, DateTimeOffset.UtcNow)))
                throw new ToolException(Exit.Failed, $"There is no valid key {parsed.GetValue(prefix)}.");
            Console.WriteLine($"{parsed.GetValue(prefix)} is revoked.");
            return Exit.Ok;
        });
        return command;
    }

    // A change needs the lock, the directory and the owner of the file.
    static T Change<T>(string path, Func<T> change)
    {
        try
        {
            return change();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(Exit.Failed, $"{Path.GetFullPath(path)} was not changed: {error.Message}");
        }
    }

    static IReadOnlyList<ApiKey> Read(string path) =>
        File.Exists(path) ? KeyFile.Read(path) : throw new ToolException(
            Exit.Failed, $"There is no key file {Path.GetFullPath(path)}; create one with ./orderwright keys add.");

    static string[] Words(string? text) =>
        text?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    static string StateOf(ApiKey key) =>
        key.RevokedAt is not null ? "revoked" : key.ExpiresAt <= DateTimeOffset.UtcNow ? "expired" : "good";

    static string Day(DateTimeOffset at) => at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    static Option<string?> FileOption() => new("--file")
    {
        Description = "Key file. Default: ORDERWRIGHT_KEYS if set, else ./data/keys.json.",
    };

    static string PathOf(string? file) =>
        file ?? (Environment.GetEnvironmentVariable("ORDERWRIGHT_KEYS") is { Length: > 0 } path ? path : "./data/keys.json");
}
